"""Made days to rehearse, and what hindsight could have done with them; no table of both is made yet."""
