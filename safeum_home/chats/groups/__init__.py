"""Groups: who is in them, what each may do, and what is told of that."""
