"""`python -m neocog`, and `torchrun -m neocog`: the command line."""

from neocog.cli import main

if __name__ == "__main__":
    main()
