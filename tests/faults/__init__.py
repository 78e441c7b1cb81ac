"""The fault suite: that its judge sees every kind of damage, and a part of its faults, small, in every run."""
