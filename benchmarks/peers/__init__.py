"""What people would pick instead of Rejoinder, each as a minimal server with one contract (README.md)."""
