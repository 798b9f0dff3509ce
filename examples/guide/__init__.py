"""The programs that docs/writing-jobs.md shows. tests/unit/examples/test_guide.py runs them."""
