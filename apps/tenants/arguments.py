"""What commands take from a command line."""

from argparse import ArgumentTypeError


def said(text: str) -> str:
    """Read what narrows a command down. Raises: ArgumentTypeError when it is empty.

    A script whose variable is not set must not act on everything.
    """
    if not text.strip():
        raise ArgumentTypeError("it is empty: say which, or leave the option out for all")
    return text
