"""What is measured: a module for each question, whose function gets the stage and the systems and fills a table."""
