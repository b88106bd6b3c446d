"""ganlib: the workshop behind the notebooks, small enough to be read in an evening.

Read it in this order: `targets` (the laws to learn), `densities` and `divergences` (the exact
numbers), `losses` and `networks`, then `gan.GAN`, where they meet. `session` trains one while its
knobs are turned, `stage` draws and plays any lab and knows no GAN, and `labs` puts them together;
`engine` is the same GAN once more in JavaScript, which the tests hold to torch.
Importing ganlib imports nothing else: each notebook names the parts it uses.
"""

__version__ = "1.0.0"
