"""Label writers: each file turns drawings into one kind of bytes; to add one, add a file with NAME, MEDIA_TYPE,
measure(), covers() and write()."""
