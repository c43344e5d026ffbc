"""Made days, run through by our live planning and by three others, beside what hindsight could have done."""
