"""What `rejoinder doctor` looks at, a module for each part; `findings.py` says what they return."""
