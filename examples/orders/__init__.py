"""Orders of a shop that sells CDs: a saga on a real data set, with books that must balance whatever fails."""
