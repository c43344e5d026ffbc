"""Label formats: each file draws one size of paper; to add one, add a file with NAME, SIZE_MM and draw()."""
