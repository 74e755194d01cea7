"""`python -m safelight`."""

from safelight.cli import main

if __name__ == "__main__":
    main()
