"""Whatever comes from outside, in any shape: a clear error or a right answer; no fault, no hang, no lost answer."""
