"""Nothing is ever lost: the real stack, broken on purpose, and what its viewers have at the end."""
