"""What runs Rejoinder on the machine of whoever works on it; a deployment needs nothing of this folder."""
