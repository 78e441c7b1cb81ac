"""What whoever runs this sees of it: logs, and whatever else a process says of itself.

The web process and the workers both stand on it, and it knows nothing of theirs. What is measured arises elsewhere, as
plain facts and numbers; here they get the shape in which tools read them.
"""
