"""`python -m rejoinder`; `bin/rejoinder` is the same from anywhere."""

from rejoinder.cli import main

if __name__ == "__main__":
    main(prog_name="rejoinder")
