"""One thread: the networks are small, and the numbers must not depend on how many cores there are."""

import os

import torch

os.environ.setdefault("OMP_NUM_THREADS", "1")  # for the kernels that the tests start
torch.set_num_threads(1)
