"""Made days run by every strategy, and what hindsight could have done with them: `python -m bench days`."""
