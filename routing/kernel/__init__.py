"""The search kernel: ruin and recreate over arrays, compiled. Importing this package loads no compiler."""
