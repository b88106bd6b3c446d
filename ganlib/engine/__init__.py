"""The engine that trains a GAN in a browser, without a kernel and without torch: equal to `ganlib.gan`.

Read the JavaScript beside the Python file of the same name: gan, losses, networks, targets, schedule.
ops.js holds the seven products that training is made of, and engine.c the same ones for WebAssembly.
"""
