"""What the tests stand on: real servers, started and stopped, and waiting without sleeping."""
