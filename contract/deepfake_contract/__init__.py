"""What every part agrees on: errors, tensors, policy, stacking, and how a bundle is described."""
