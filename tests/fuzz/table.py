"""Every public name of ganlib's core: calls that must work, and what no answer may be.

A name that is not here fails the test, and so does a row without a name. The post-conditions are
functions of `posts`; what the calls name is in `props`.
"""

from fuzz.calls import row

# What only holds what it is given: an answer, or a dataclass that its user checks.
HOLDS = {
    "densities.Pushed",
    "densities.Cells",
    "divergences.Estimate",
    "games.Equilibrium",
    "games.Rule",
    "gan.Ledger",
    "gauges.Sight",
    "gauges.LineSight",
    "images.Pictures",
    "images.Fetched",
    "losses.Loss",  # checked by `loss_of` and at each step
    "medicine.Dose",  # checked by `treat`
    "metrics.Now",
    "sweep.Sweep",
    "settings.Recipe",  # checked by `check_recipe`
    "families.Leaf",  # the base of leaves
    "families.Chain",
    "networks.UNet",  # built by `unet`
    "local.Linear",  # built by `dirac` and `Rest.near`
    "local.Pull",
    "local.Ringing",
    "gpu.MixedPrecision",  # parts of a run and of a sweep, which check what these are given
    "gpu.Compiled",
    "gpu.generator_on",
    "gpu.placed",
    "gpu.pushed",
    "gpu.Share",
    "gpu.side_stream",
    "gpu.has_graphs",
    "gpu.capture",
    "gpu.WholeStep",
    "gpu.numerics",
    "paths.Place",
    "paths.Score",
}

# fmt: off
# ruff: disable[E501]
TABLE = {
    # -- checks: every value is allowed, but not every rule -----------------------------------------
    "checks.count": row("name='n', n=3", "name='n', n=0, least=0", keep=("name", "least", "most")),
    "checks.seed_of": row("seed=3", keep=("name",)),
    "checks.finite": row("name='number', number=-0.5", post="number", keep=("name",)),
    "checks.share": row("name='number', number=0.5", post="unit", keep=("name",)),
    "checks.method": row("'thing', targets.uniform(), 'sample'", keep=("name", "thing", 0, 2)),
    "checks.floats": row("name='values', values=[0.5, 1]", keep=("name",)),
    "checks.tensor": row("name='x', x=P", keep=("name",)),
    "checks.row": row("name='values', values=P", keep=("name", "points")),
    "checks.rows": row("name='values', values=POINTS, dim=2", keep=("name", "dim")),
    "checks.all_finite": row("x=P", keep=("x",)),
    "checks.rises": row("x=X", "x=P", keep=("x",)),
    "checks.function": row("name='f', f=V", keep=("name",)),
    "checks.of_kind": row("name='thing', thing=P, kind=torch.Tensor", keep=("name", "kind")),
    "checks.place": row("name='path', path='a'", keep=("name",)),
    "checks.positive": row("name='number', number=0.5", post="positive", keep=("name",)),
    "checks.one_of": row("name='value', value='a', allowed=['a', 'b']", keep=("name", "allowed")),

    # -- chains -------------------------------------------------------------------------------------
    "chains.hop": row(
        "log_p=bowl, x=POINTS[:, :1], size=0.5",
        "log_p=bowl, x=POINTS[:, :1], size=0.5, generator=torch.Generator(), langevin=True",
        post="walkers",
    ),
    "chains.transition": row(
        "log_p=NORMAL.log(), size=0.5, x=X", "log_p=NORMAL.log(), size=0.5, x=X, langevin=True",
        post="rows_sum_to_1",
    ),

    "chains.second_eigenvalue": row(  # of what `transition` gives
        "K=chains.transition(NORMAL.log(), 0.5, X), p=NORMAL",
        post="unit",
        keep=("K", "p"),
    ),
    "chains.halving": row("second=0.5", "second=0.0", post="told", keep=("second",)),

    # -- densities ----------------------------------------------------------------------------------
    "densities.line": row("low=-1.0, high=1.0", "low=-1, high=2, points=10", post="grid"),
    "densities.push_masses": row(
        "G=G(), prior=targets.gaussian(), x=X", "G=G(), prior=targets.uniform(), x=X, cells=64",
        post="pushed",
    ),
    "densities.pushforward": row(
        "G=G(), prior=targets.gaussian(), x=X", "G=G(), prior=targets.uniform(), x=X, cells=64",
        post="on_x",
    ),
    "densities.common_cells": row("p_data=NORMAL, x=X, pushed=PUSHED", post="cells"),
    "densities.below": row("law=targets.mixture(), x=X", post="unit"),
    "densities.between": row("values=X, place=torch.tensor([0.5, 3.0, 99.0])"),
    "densities.optimal_discriminator": row(
        "p_data=NORMAL, p_g=WIDE", "p_data=[0.5, 0.0], p_g=[0.5, 0.0]",
        post="some_units",
        nan=True,  # where both vanish, as its docstring says
    ),
    "densities.best_D": row("x=X, p_data=NORMAL, masses=PUSHED.masses"),

    # -- divergences --------------------------------------------------------------------------------
    "divergences.entropy": row("p=P", "p=NORMAL, x=X, base='bits'", post="number"),
    "divergences.cross_entropy": row("p=P, q=Q", "p=NORMAL, q=WIDE, x=X", post="number"),
    "divergences.kl": row("p=P, q=Q", "p=NORMAL, q=WIDE, x=X, base='bits'", post="at_least_0"),
    "divergences.js": row("p=P, q=Q", "p=NORMAL, q=WIDE, x=X, base='bits'", post="js"),
    "divergences.total_variation": row("p=P, q=Q", "p=NORMAL, q=WIDE, x=X", post="unit"),
    "divergences.wasserstein1": row("p=P, q=Q", "p=NORMAL, q=WIDE, x=X", post="at_least_0"),
    "divergences.monte_carlo_kl": row(
        "p=targets.gaussian(), q=targets.mixture(), n=10",
        "p=targets.ring(), q=targets.grid(), n=9, generator=torch.Generator(), base='bits'",
        post="estimate",
    ),
    "divergences.code_lengths": row("p=P", "p=P, code='huffman'", post="code_lengths"),
    "divergences.code_words": row("lengths=[1, 2, 2]", "lengths=[1.3, math.inf]", post="code_words"),

    # -- families -----------------------------------------------------------------------------------
    "families.Autoregressive": row(""),
    "families.Flow": row(""),
    "families.Adversarial": row(""),
    "families.VAE": row("", "posterior='exact', pull=0.5, width=0"),
    "families.Energy": row("", "size=0.3, langevin=True"),
    "families.Walk": row("", "noise=0.5"),
    "families.Leaf.fit": row("law=targets.mixture(), steps=1", "law=targets.uniform(), steps=1, seed=3", on="families.Flow()"),
    "families.Leaf.training": row("law=targets.mixture(), steps=1", on="families.Flow()"),
    "families.Leaf.log_prob": row("x=X[:, None]", on="leaf('Energy')", post="log_density"),
    "families.Leaf.law_on": row("x=X", on="leaf('Walk')", post="density"),
    "families.Leaf.js": row("", "points=64", on="leaf('VAE')", post="js"),
    "families.Autoregressive.sample": row("n=3", "n=3, generator=torch.Generator()", on="leaf('Autoregressive')", post="n_rows"),
    "families.Flow.sample": row("n=3", "n=3, generator=torch.Generator()", on="leaf('Flow')", post="n_rows"),
    "families.VAE.sample": row("n=3", "n=3, generator=torch.Generator()", on="leaf('VAE')", post="n_rows"),
    "families.Chain.sample": row("n=3", "n=3, generator=torch.Generator()", on="leaf('Walk')", post="n_rows"),
    "families.Adversarial.sample": row("n=3", "n=3, generator=torch.Generator()", on="leaf('Adversarial')", post="n_rows"),
    "families.Adversarial.law_on": row("x=X", on="leaf('Adversarial')", post="on_x"),
    "families.Autoregressive.log_prob": row("x=X[:, None]", on="leaf('Autoregressive')", post="log_density"),
    "families.Flow.log_prob": row("x=X[:, None]", on="leaf('Flow')", post="log_density"),
    "families.VAE.log_prob": row("x=X[:, None]", on="leaf('VAE')", post="log_density"),
    "families.Flow.map": row("x=X", on="leaf('Flow')"),
    "families.VAE.encode": row("x=X", on="leaf('VAE')"),
    "families.VAE.joint": row("x=X, z=X", "x=X, z=X.expand(60, 60)", on="leaf('VAE')"),
    "families.VAE.elbo": row("x=X", "x=X, nodes=8, pull=0.5", on="leaf('VAE')"),
    "families.Energy.log_p": row("x=X[:, None]", on="leaf('Energy')"),
    "families.Walk.clean": row("seen=X", on="leaf('Walk')"),

    # -- files and states ---------------------------------------------------------------------------
    "files.pack": row("tensors={'a': P}, about={'k': 1}"),
    "files.unpack": row("content=files.pack({'a': P}, {})", "content=files.pack({}, {}), name='it'"),
    "files.write": row("path=Path('a.safetensors'), tensors={'a': P}, about={}"),
    "files.read": row("path=run_file()"),
    "files.held": row("folder=Path('held')"),
    "states.flat": row("nets={'G': G()}, optimisers={'opt_G': optimiser()}"),
    "states.restore": row(
        "found=states.flat({'G': G()}, {}), nets={'G': G()}, optimisers={}",
    ),
    "states.fitting": row("found={'a': P}, like={'a': P}"),
    "states.generator_state": row("found={'a': torch.Generator().get_state()}, name='a'", keep=("name",)),

    # -- games --------------------------------------------------------------------------------------
    "games.solve": row("payoff=[[1, -1], [-1, 1]]", "payoff=torch.arange(6.0).reshape(2, 3)", post="equilibrium"),
    "games.field": row("value=V"),
    "games.play": row(
        "value=V, start=[1.0, 0.0], rule='simultaneous', lr=0.1, steps=3",
        "value=V, start=torch.ones(2, 2), rule='consensus', lr=0.1, steps=0, limit=10.0",
        post="path",
        nan=True,  # a game that has left for infinity, as its docstring says
    ),
    "games.eigenvalues": row(
        "value=V, point=[0.0, 0.0], rule='optimistic', lr=0.1",
        "value=games.smallest_gan(), point=(0.0, 0.0), rule='alternating', lr=0.1",
        post="eigenvalues",
    ),
    "games.quadrature": row(""),
    "games.smallest_gan": row("", "spread=0", "spread=0.5"),

    # -- gan ----------------------------------------------------------------------------------------
    "gan.GAN": row(
        "G=G(), D=D(), prior=targets.gaussian()",
        "G=G(), D=D(), prior=targets.uniform(), loss='hinge', lr_G=0.1, lr_D=0.2, betas=(0, 0.9),"
        "optimiser='sgd', d_steps=2, penalty='r1', penalty_weight=2.0, seed=3",
        post="gan",
    ),
    "gan.Ledger.converged": row("", "js=0.1", on="ledgers()[0]"),
    "gan.GAN.noise": row("n=3", on="any_gan()", post="n_rows"),
    "gan.GAN.sample": row("n=3", on="any_gan()", post="n_rows"),
    "gan.GAN.step_D": row("real=POINTS[:, :1]", on="any_gan()", post="losses"),
    "gan.GAN.step_G": row("n=3", "n=20, real=POINTS[:, :1]", on="any_gan()", post="losses"),
    "gan.GAN.step": row("real=POINTS[:, :1]", on="any_gan(d_steps=2)", post="losses"),
    "gan.GAN.logits": row("x=X", on="any_gan()"),
    "gan.GAN.ledger": row(
        "p_data=NORMAL, x=X", "p_data=NORMAL, x=X, masses=PUSHED, logits=X, oracle=True",
        on="any_gan()",
        post="ledger",
    ),
    "gan.GAN.state_dict": row("", on="any_gan()"),
    "gan.GAN.load_state_dict": row("state=any_gan().state_dict()", on="any_gan()"),
    "gan.descend": row(  # the inner half of each step
        "loss=g(torch.ones(3, 1)).sum(), optimiser=torch.optim.SGD(g.parameters(), lr=0.1)",
        keep=("loss", "optimiser"),
    ),

    # -- gauges -------------------------------------------------------------------------------------
    "gauges.LineGauge": row("law=targets.gaussian(), prior=targets.uniform()", also=("target",)),
    "gauges.LineGauge.fits": row("gan=any_gan()", on="line_gauge()"),
    "gauges.LineGauge.look": row("gan=any_gan()", "gan=any_gan(), oracle=True", on="line_gauge()"),
    "gauges.LineGauge.best_D": row("gan=any_gan()", on="line_gauge()"),
    "gauges.PlaneGauge": row("law=targets.ring(), prior=targets.gaussian(dim=2)", also=("target",)),
    "gauges.PlaneGauge.fits": row("gan=any_gan(2)", on="plane_gauge()"),
    "gauges.PlaneGauge.look": row("gan=any_gan(2)", "gan=any_gan(2), oracle=True", on="plane_gauge()"),
    "gauges.PlaneGauge.best_D": row("gan=any_gan(2)", on="plane_gauge()"),
    "gauges.LineGauge.crowd": row("", on="line_gauge()"),
    "gauges.at_rest": row("gan=any_gan()"),
    "gauges.refuse_bounded": row("D=D(), x=X[:, None].float()", keep=("D", "x")),  # inside `fits`
    "gauges.unlike_in_training": row(
        "gan=any_gan(), example=X[:, None].float()", keep=("gan", "example")  # inside `fits`
    ),
    "gauges.judged_by": row("gan=any_gan(), D=D()"),

    # -- images -------------------------------------------------------------------------------------
    "images.Pictures.split": row("", "held_out=0.25, seed=1", on="images.Pictures(PICTURES, LABELS)", post="parts"),
    "images.digits": row("", "size=16", post="pictures"),
    "images.fetch": row(keep=("home",)),  # nothing is downloaded here
    "images.idx": row("path=idx_file()", "path=idx_file(), labels=idx_file(True), size=8", post="pictures"),
    "images.folder": row("path=picture_folder(), size=8", "path=picture_folder(), size=8, grey=True, cache='kept'", post="pictures", also=("pixels",)),
    "images.load": row("source='digits'", "source=picture_folder(), grey=True, size=8", post="pictures", also=("images", "pixels")),
    "images.mosaic": row("x=PICTURES", "x=PICTURES, columns=5", post="unit"),

    "images.labels_of": row("path=Path('images-idx3')", keep=("path",)),  # inside `idx`
    "interrupts.CtrlC": row(""),

    # -- local --------------------------------------------------------------------------------------
    "local.pull": row("loss='hinge'", "loss=losses.LOSSES['linear']"),
    "local.dirac": row("", "loss='minimax', gamma=0.3"),
    "local.dirac_path": row(
        "lr=0.1, steps=3", "loss='minimax', start=(0.5, 1), gamma=0.3, lr=0.1, steps=3, order='simultaneous', momentum=-0.5",
        nan=True,  # beyond 1e6
    ),
    "local.Linear.flow": row("", "speed_D=2.0", on="local.dirac()"),
    "local.Linear.rates": row("", "speed_D=2.0", on="local.dirac('wasserstein', 0.5)"),
    "local.Linear.step": row("lr_G=0.1, lr_D=0.2", "lr_G=0.1, lr_D=0.2, order='simultaneous', momentum=0.5", on="local.dirac()"),
    "local.Linear.factors": row("lr_G=0.1, lr_D=0.2", "lr_G=0.1, lr_D=0.2, order='simultaneous', momentum=0.5", on="local.dirac()"),
    "local.Linear.path": row(
        "start=[1.0, 0.0], lr_G=0.1, lr_D=0.2, steps=3",
        "start=[1.0, 0.0], lr_G=0.1, lr_D=0.2, steps=3, order='simultaneous', momentum=0.5",
        on="local.dirac()",
        nan=True,  # beyond 1e6
    ),
    "local.Rest": row("gan=any_gan()", "gan=any_gan(), points=5"),
    "local.Rest.features_of": row("x=X[:, None]", on="rest()", keep=("x",)),  # of the data, inside `near`
    "local.Rest.near": row("", "loss='wasserstein', gamma=0.3", on="rest()"),
    "local.Rest.direction": row("push='shift'", "push='width'", on="rest()"),
    "local.Rest.pushed": row("", "by=-0.1, push='width'", on="rest()", post="network"),
    "local.Rest.game": row(
        "lr_G=0.1, lr_D=0.1", "loss='hinge', gamma=0.3, lr_G=0.1, lr_D=0.1, by=0.1, push='width', momentum=0.5, whole=False, seed=3",
        on="rest()",
        post="gan",
    ),
    "local.Rest.ring": row(
        "lr_G=0.1, lr_D=0.1, steps=3", "loss='hinge', gamma=0.3, lr_G=0.1, lr_D=0.1, steps=3, by=0.1, push='width', momentum=0.5",
        on="rest()",
        nan=True,  # beyond 1e6
    ),
    "local.Listed": row("z=POINTS"),
    "local.Listed.sample": row("n=20", "n=20, generator=torch.Generator()", on="local.Listed(POINTS)"),
    "local.Drawn": row("z=POINTS"),
    "local.Drawn.sample": row("n=3", "n=3, generator=torch.Generator()", on="local.Drawn(POINTS)", post="n_rows"),

    # -- losses -------------------------------------------------------------------------------------
    "losses.value": row("real_logits=P, fake_logits=Q", post="v"),
    "losses.r1": row("D=D(), real=POINTS[:, :1]", post="at_least_0"),
    "losses.gradient_penalty": row("D=D(), real=POINTS[:, :1], fake=POINTS[:, 1:]", post="at_least_0"),
    "losses.loss_of": row("loss='hinge'", "loss=losses.LOSSES['linear']"),
    "losses.penalty_of": row("penalty='r1'", "penalty=None", "penalty=losses.r1"),

    # -- medicine -----------------------------------------------------------------------------------
    "medicine.spectral": row("net=D()"),
    "medicine.Noise": row("sd=0.3", "sd=0, generator=torch.Generator()"),
    "medicine.Spread": row(""),
    "medicine.Noise.forward": row("x=POINTS", on="medicine.Noise(0.1)"),
    "medicine.Spread.forward": row("x=POINTS", on="medicine.Spread()"),
    "medicine.optimism": row("optimiser=optimiser()"),
    "medicine.Extragradient": row("G=G(), D=D(), prior=targets.gaussian()", "G=G(), D=D(), prior=targets.gaussian(), lr_G=0.1, seed=3", post="gan"),
    "medicine.Extragradient.step": row("real=POINTS[:, :1]", on="medicine.Extragradient(G(), D(), targets.gaussian())", post="losses"),
    "medicine.average": row("gan=any_gan(), decay=0.9", post="network"),
    "medicine.treat": row(
        "G=G(), D=wrapped_D, prior=targets.gaussian(), dose=medicine.MEDICINE['R1, weight 1'], lr_D=0.1",
        "G=G(), D=wrapped_D, prior=targets.gaussian(), dose=medicine.Dose(ema=0.9, times=2.0), lr_D=0.1, seed=1",
        post="treated",
    ),

    # -- metrics ------------------------------------------------------------------------------------
    "metrics.classifier": row("x=PICTURES, labels=LABELS, steps=1", "x=PICTURES, labels=LABELS, steps=2, seed=1", post="network"),
    "metrics.features": row("net=a_classifier(), x=PICTURES", post="density"),
    "metrics.predict": row("net=a_classifier(), x=PICTURES"),
    "metrics.frechet": row("real=POINTS, fake=POINTS + 1", "real=POINTS, fake=POINTS[:9].double()", post="at_least_0"),
    "metrics.nearest": row("x=POINTS, bank=POINTS + 0.1", "x=POINTS, bank=POINTS, k=3", post="nearest"),
    "metrics.precision_recall": row("real=POINTS, fake=POINTS + 1", "real=POINTS, fake=POINTS, k=1", post="two_shares"),
    "metrics.memorised": row("fake=POINTS, train=POINTS, held_out=POINTS + 0.5", post="share_and_count"),
    "metrics.evaluate": row("fake=PICTURES, real=PICTURES.flip(3), net=a_classifier()", post="scores"),
    "metrics.modes": row("x=POINTS, law=targets.ring()", post="modes"),
    "metrics.View": row("law=targets.ring(), prior=targets.gaussian(dim=2)"),
    "metrics.View.look": row("G=G(2)", on="metrics.View(targets.ring(), targets.gaussian(dim=2))", post="now"),

    # -- paths: steps and batch are not spoiled, as a huge number only takes long ---------------------
    "paths.exact": row("law=targets.mixture()", "law=targets.gaussian(), path='straight'"),
    "paths.walk": row("field=paths.exact(targets.mixture()), start=POINTS[:, :1], steps=2", "field=paths.exact(targets.mixture(), 'straight'), start=POINTS[:, :1], steps=2, path='straight', heun=True", keep=("steps",)),
    "paths.Learned": row("net=networks.mlp(2, 4, 1)"),
    "paths.Learned.forward": row("x=POINTS[:, :1], t=0.5", on="paths.Learned(networks.mlp(2, 4, 1))", keep=("x", "t")),
    "paths.fit": row("law=targets.mixture(), steps=1, batch=4, progress=False", "law=targets.uniform(), path='straight', seeds=(1, 2), pairs=(POINTS[:, :1], POINTS[:, 1:]), steps=1, batch=4, rate=0.1, progress=False", keep=("steps", "batch")),
    "paths.velocities": row(),  # read back in tests/test_paths.py
    "paths.Walker": row("field=paths.exact(targets.mixture()), steps=3", "field=paths.exact(targets.mixture(), 'straight'), steps=3, path='straight', heun=True"),
    "paths.Walker.forward": row("z=POINTS[:, :1]", on="paths.Walker(paths.exact(targets.mixture()), 2)", keep=("z",)),
    "paths.distil": row("teachers=[torch.sin], steps=1, batch=4, progress=False", "teachers=[torch.sin, torch.cos], seeds=(1, 2), steps=1, batch=4, rate=0.1, progress=False", keep=("steps", "batch")),
    "paths.score": row("G=G(), law=targets.mixture()"),
    "paths.monotone": row("law=targets.mixture()"),

    # -- networks -----------------------------------------------------------------------------------
    "networks.mlp": row("1, 4, 1", "2, 3, activation=nn.ReLU, seed=1", "1, 8, 1, seed=2, cover=(-1, 1), slope=2.0", post="network"),
    "networks.reinitialise": row("net=G(), seed=3", "net=G()", post="network"),
    "networks.dense_generator": row("", "size=8, channels=3, z_dim=4, width=4, seed=0", post="network"),
    "networks.dense_discriminator": row("", "size=8, channels=3, width=4, seed=0", post="network"),
    "networks.dcgan_generator": row("z_dim=4, width=2", "size=16, channels=3, z_dim=4, width=2, norm='spectral', seed=0", post="network"),
    "networks.dcgan_discriminator": row("width=2", "size=16, channels=3, width=2, norm='none', seed=0", post="network"),
    "networks.unet": row("width=2", "channels=3, out_channels=2, width=2, depth=2, skips=False, seed=1", post="network"),
    "networks.UNet.forward": row("x=PICTURES", on="networks.unet(width=2)"),
    "networks.patch_discriminator": row("width=2", "channels=3, width=2, layers=1, seed=1", post="network"),
    "networks.ask": row("net=D(), x=POINTS[:, :1]", keep=("net", "x")),
    "networks.layers": row("D(), 1", "networks.dcgan_discriminator(width=2), 1, 8, 8", post="told", keep=("net",)),

    # -- plots --------------------------------------------------------------------------------------
    "plots.tidy": row("ax=ax()", "ax=ax(), xlabel='x', ylabel='y', title='t'"),
    "plots.game": row("ax=ax(), x=X, p_data=NORMAL, p_g=WIDE", "ax=ax(), x=X, p_data=NORMAL, p_g=WIDE, D=X, D_star=X, legend=False"),
    "plots.arrows": row("ax=ax(), z=P, x=Q"),
    "plots.ledger": row("ax=ax(), steps=[0, 1], ledgers=ledgers()"),

    # -- schedule, session --------------------------------------------------------------------------
    "schedule.fall": row("step=3, steps=10", "step=7.5, steps=10.0, floor=0.0", post="unit"),
    "session.Session": row(
        "gan=any_gan(), law=targets.gaussian()",
        "gan=any_gan(2), law=targets.ring(), gauge=gauges.PlaneGauge, batch=8, anneal=False, horizon=100, seed=2",
        post="session",
        also=("target",),
    ),
    "session.Session.set_law": row("law=targets.mixture()", on="any_session()", also=("target",)),
    "session.Session.turn_to": row("law=targets.mixture()", on="any_session()", also=("target",)),
    "session.Session.tune": row("lr_G=0.1", "train='D only', anneal=False, k=2, batch=8, seed=3", "loss='hinge', penalty='r1', weight=2.0, optimiser='sgd', beta1=0.0, beta2=0.5", on="any_session()"),
    "session.Session.step": row("", "who='D only', done=False", on="any_session()"),
    "session.Session.move": row("who='both'", "who='G only'", on="any_session()"),
    "session.Session.sample": row("n=3", on="any_session()", post="n_rows"),
    "session.Session.best_D": row("", on="any_session()"),
    "session.Session.look": row("", on="any_session()"),
    "session.Session.record": row("", on="any_session()"),
    "session.Session.curve": row("name='js'", on="any_session()"),
    "session.Session.reset": row("", on="any_session()"),
    "session.Session.state": row("", on="any_session()"),
    "session.Session.restore": row("state=any_session().state()", on="any_session()"),
    "session.Session.remember": row("", on="any_session()"),
    "session.Session.forget": row("", on="any_session()"),
    "session.Session.back": row("", on="any_session()"),
    "session.Session.save": row("", "values={'note': 1}, more=[1]", on="any_session()", post="told"),
    "session.Session.load": row("text=any_session().save()", on="any_session()"),
    # The inner half of `load`, which is fuzzed with files.
    "session.Session.adopt": row("run=json.loads(any_session().save())", on="any_session()", keep=("run", "past", "every", "data", "snapshot")),
    "session.Session.go_on": row("past=[[0.0] * 8], every=25, data=torch.Generator().get_state()", on="any_session()", keep=("run", "past", "every", "data", "snapshot")),
    "session.Session.snapshot": row("", on="any_session()"),
    "session.Session.put_back": row("snapshot=any_session().snapshot()", on="any_session()", keep=("run", "past", "every", "data", "snapshot")),
    "session.all_or_nothing": row("text=any_session().save(), keeper=any_session()"),

    # -- settings -----------------------------------------------------------------------------------
    "settings.Way": row("bf16=True, read=2", "deterministic=True, on_device=False"),
    "settings.check_way": row("way=settings.Way(compile=True), gan=picture_gan(), world=1", keep=("way", "gan", "world")),
    "settings.check_recipe": row("recipe=training.Recipe()"),
    "settings.checked_batch": row("batch=4, pictures=12, world=1", keep=("pictures", "world")),
    "settings.checked_fall": row("fall=()", "fall=(1, 3)"),
    "settings.checked_gan": row("gan=picture_gan()"),
    "settings.checked_pictures": row("x=PICTURES"),
    "settings.fingerprint": row("x=PICTURES", keep=("x",)),  # of what has been checked
    "settings.shapes": row("tensors={'G.0.weight': P, 'opt': Q}", keep=("tensors",)),
    "settings.rules": row("gan=picture_gan()", keep=("gan",)),

    # -- sweep --------------------------------------------------------------------------------------
    "sweep.Sweep.gan": row("i=0", on="any_sweep()", post="gan"),
    "sweep.Sweep.ledgers": row("p_data=NORMAL, x=X", on="any_sweep()"),
    "sweep.survey": row(
        "new_gan=any_gan_of, target=targets.gaussian(), size=2, steps=1, batch=4, progress=False",
        "new_gan=any_gan_of, target=targets.mixture(), size=1, low=1e-3, high=1e-2, steps=1, batch=4, seeds=(1, 2), progress=False, device='cpu'",
        post="survey",
    ),
    "sweep.sweep": row(
        "new_gan=any_gan_of, target=targets.gaussian(), lr_G=1e-3, lr_D=[1e-3, 1e-2], steps=1, batch=4, progress=False",
        "new_gan=any_gan_of, target=targets.gaussian(), lr_G=1e-3, lr_D=1e-3, steps=2, batch=4, seed=[1, 2], anneal=False, device='cpu', progress=False",
        post="swept",
    ),

    # -- targets ------------------------------------------------------------------------------------
    "targets.Mixture": row("means=[0.0, 1.0], stds=[1.0, 2.0]", "means=POINTS, stds=0.1, weights=torch.ones(20), name='m', shift=1.0, scale=2.0, unit='cm'", post="mixture"),
    "targets.Mixture.log_prob": row("x=POINTS", on="targets.ring()", post="log_density"),
    "targets.Mixture.sample": row("n=3", "n=3, generator=torch.Generator()", on="targets.mixture()", post="n_rows"),
    "targets.Mixture.cdf": row("x=P", "x=X", on="targets.mixture()", post="some_units"),
    "targets.Mixture.quantile": row("u=P", "u=Q", on="targets.gaussian()"),
    "targets.Mixture.in_order": row("", on="targets.mixture()", post="mixture"),
    "targets.Mixture.from_uniform": row("u=P", "u=Q", on="targets.mixture()"),
    "targets.Uniform": row("", "low=0, high=2", post="interval"),
    "targets.Uniform.log_prob": row("x=POINTS[:, :1]", on="targets.uniform()", post="log_density"),
    "targets.Uniform.sample": row("n=3", "n=3, generator=torch.Generator()", on="targets.uniform()", post="n_rows"),
    "targets.Uniform.from_uniform": row("u=P", "u=Q", on="targets.uniform()", post="inside_uniform"),
    "targets.Uniform.cdf": row("x=P", "x=X", on="targets.uniform()", post="some_units"),
    "targets.Uniform.quantile": row("u=P", "u=Q", on="targets.uniform()", post="inside_uniform"),
    "targets.Even": row("law=targets.mixture()", "law=targets.uniform()"),
    "targets.Even.from_uniform": row("u=P", "u=Q", on="targets.even(targets.mixture())"),
    "targets.Even.sample": row("n=3", "n=3, generator=torch.Generator()", on="targets.even(targets.mixture())", post="n_rows"),
    "targets.gaussian": row("", "mean=1.0, std=2.0, dim=3", post="mixture"),
    "targets.uniform": row("", "low=0.0, high=2.0", post="interval"),
    "targets.mixture": row("", "means=[0.0, 3.0], stds=[1.0, 2.0], weights=[1, 2]", post="mixture", also=("stds",)),
    "targets.from_samples": row("values=[1.0, 2.0, 4.0]", "values=POINTS[:, :1], bandwidth=0.2, name='m', unit='cm'", post="mixture"),
    "targets.iris": row("", post="mixture"),
    "targets.even": row("law=targets.mixture()", "law=targets.uniform()"),
    "targets.ring": row("", "modes=3, radius=1.0, std=0.2", post="mixture"),
    "targets.grid": row("", "side=2, spacing=2.0, std=0.2", post="mixture"),
    "targets.moons": row("", "points=20, std=0.2", post="mixture"),
    "targets.spiral": row("", "points=20, turns=2.0, std=0.2", post="mixture"),

    # -- training -----------------------------------------------------------------------------------
    "training.Run": row("gan=picture_gan(), x=PICTURES, batch=4", "gan=picture_gan(), x=PICTURES, batch=4, ema=0.5, fall=(1, 3), seed=2, every=3, about={'a': 1}, channels_last=True, read=2, on_device=True", post="run", keep=("compile", "graph", "out")),
    "training.Run.step": row("", on="any_run()", post="losses"),
    "training.Run.train": row("steps=1", "steps=2, progress=True", on="any_run()", post="run"),
    "training.Run.sample": row("n=3", "n=3, seed=1", on="any_run()", post="n_rows"),
    "training.Run.save": row("", on="any_run(out='a')"),
    "training.Run.load": row("path=run_file()", on="any_run()"),
    "training.load_pair": row("path=run_file()"),
    "training.train": row("recipe=training.Recipe(steps=1, width=2, z_dim=2)"),
    "training.main": row(keep=("argv",)),  # exits; the command line has its own tests

    # -- words, exercises ---------------------------------------------------------------------------
    "words.words": row("outputs=[]", "outputs=[{'text': 'a'}, {'data': {'text/plain': 'b'}}]", post="told"),
    "exercises.check": row("name='d_star', answer=P", also=("exercise",)),
    "exercises.show_source": row("thing=divergences.kl"),
}
# ruff: enable[E501]
# fmt: on
