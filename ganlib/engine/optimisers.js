/** Adam and SGD as torch has them: one step moves all weights of a network along its slopes. */

class Adam {
  /**
   * Kingma & Ba 2015, algorithm 1, arXiv:1412.6980; torch's fused form, which ops.adam writes
   * out.
   */
  constructor(network) {
    this.network = network;
    this.m = network.ops.alloc(network.count);
    this.v = network.ops.alloc(network.count);
    this.forget();
  }

  forget() {
    this.m.fill(0);
    this.v.fill(0);
    this.t = 0;
  }

  step(lr, [beta1, beta2]) {
    const { ops, p, g, count } = this.network;
    this.t += 1;
    const rate = lr / (1 - beta1 ** this.t);
    const root = Math.sqrt(1 - beta2 ** this.t);
    ops.adam(p, g, this.m, this.v, count, rate, beta1, beta2, root);
  }

  state() {
    return { m: this.m.slice(), v: this.v.slice(), t: this.t };
  }

  load({ m, v, t }) {
    this.m.set(m);
    this.v.set(v);
    this.t = t;
  }
}

class SGD {
  /** p ← p − lr · g. */
  constructor(network) {
    this.network = network;
  }

  forget() {}

  step(lr) {
    const { p, g, count } = this.network;
    for (let i = 0; i < count; i++) p[i] -= lr * g[i];
  }

  state() {
    return {};
  }

  load() {}
}

export const OPTIMISERS = {
  adam: (network) => new Adam(network),
  sgd: (network) => new SGD(network),
};
