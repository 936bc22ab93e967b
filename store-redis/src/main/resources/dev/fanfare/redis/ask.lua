-- Redis runs this only while it would write, though it does not.
return 1
