"""What is wrong with what the project was given, rather than with the project."""


class InputError(ValueError):
    """Parameters, data or predictions are not what they should be; a command ends with this message alone."""
