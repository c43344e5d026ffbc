"""Table writers: each file turns a table into one kind of bytes; to add one, add a file with NAME, MEDIA_TYPE and
write()."""
