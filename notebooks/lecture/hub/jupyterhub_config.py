"""JupyterHub for a class on one machine.

    pip install jupyterhub==6.1.1 jupyterhub-idle-culler==2.0.0 -r requirements.txt
    npm install configurable-http-proxy@5
    jupyterhub -f notebooks/lecture/hub/jupyterhub_config.py

Every student gets a server of their own, as a process. What a student may use is stated below.
**The simple spawner only tells it and does not enforce it**: MEM_LIMIT and CPU_LIMIT stand in the
environment, and nothing stops a kernel that wants more. SystemdSpawner (The Littlest JupyterHub
has it) and KubeSpawner (Zero to JupyterHub) read the same two settings and enforce them: put one
of them in place of "simple" for a class that you do not know.
"""

import os
import shutil
import sys
from pathlib import Path

c = get_config()  # noqa: F821  JupyterHub calls this file with it

# -- where it is reached, and what it keeps ----------------------------------------------------

# The students' folders are here too.
work = Path(os.environ.get("COURSE_WORK", "/tmp/course"))
work.mkdir(parents=True, exist_ok=True)

c.JupyterHub.bind_url = os.environ.get("COURSE_URL", "http://127.0.0.1:8000")
c.JupyterHub.hub_port = int(os.environ.get("COURSE_HUB_PORT", 8081))
c.JupyterHub.db_url = f"sqlite:///{work}/hub.sqlite"
c.JupyterHub.cookie_secret_file = str(work / "cookie_secret")

c.ConfigurableHTTPProxy.pid_file = str(work / "proxy.pid")
c.ConfigurableHTTPProxy.command = os.environ.get("COURSE_PROXY", "configurable-http-proxy").split()
c.ConfigurableHTTPProxy.api_url = os.environ.get("COURSE_PROXY_API", "http://127.0.0.1:8001")

# -- who may log in ----------------------------------------------------------------------------

# For trying it out: any name, one password. For a class, put the log-in of your house here.
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = os.environ.get("COURSE_PASSWORD", "")
c.Authenticator.allow_all = True

# -- a student's server ------------------------------------------------------------------------

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(work / "{username}")
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.default_url = "/lab"

# Small networks: more threads only get in each other's way.
c.Spawner.environment = {"OMP_NUM_THREADS": "1"}


def hand_out(spawner):
    """Give the students' edition, once it is made, to whom it is new.

    `make.py student` makes it. What a student already has is never touched.
    """
    made = Path(__file__).parents[3] / ".cache/student"
    to = work / spawner.user.name / "course"
    if made.exists() and not to.exists():
        shutil.copytree(made, to)


c.Spawner.pre_spawn_hook = hand_out

# -- what they may use -------------------------------------------------------------------------

# A notebook of this course needs about 0.4 GB, a forgotten second one as much again.
c.Spawner.mem_limit = "1G"
c.Spawner.cpu_limit = 1.0
c.JupyterHub.active_server_limit = 40

# Two hundred students press the button in the same minute.
c.JupyterHub.concurrent_spawn_limit = 5

# What nobody uses is stopped: a kernel after half an hour, a server after an hour. While a lab's
# page is open it says once a second that it is seen, which counts as use, playing or not; with
# the page closed, nothing does.
c.Spawner.args = [
    "--MappingKernelManager.cull_idle_timeout=1800",
    "--MappingKernelManager.cull_interval=120",
    "--MappingKernelManager.cull_connected=True",
]
if os.name == "posix" and os.geteuid() == 0:
    c.Spawner.args.insert(0, "--allow-root")

c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
