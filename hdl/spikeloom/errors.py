"""The two ways a Spikeloom job ends early, each carrying one line a user can act on."""


class InputError(ValueError):
    """Bad input or wrong usage: the message says what is wrong, where, and how to mend it.

    The command line turns it into exit code 2 and nothing is written.
    """


class JobError(RuntimeError):
    """The job itself failed: a mismatch, missed timing, a missing or failing tool (exit code 1)."""
