"""The one exception that means "the user can mend this": printed as one line, exit status 2."""


class InputError(Exception):
    """Bad input; the message is one line that names the file, key or line and what is allowed."""
