"""Pictures, through OpenCV; import its modules, this package alone brings nothing heavy in."""
