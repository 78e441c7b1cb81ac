"""What one may do, how often and from where. Against whom: docs/threat-model.md."""
