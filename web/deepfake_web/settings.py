"""Every limit and default of the web application, on top of the client's."""

from dataclasses import dataclass

from deepfake_client.settings import ClientSettings, setting
from deepfake_contract.errors import UsageError

LAST_PORT = 65535
SPARE_THREADS = 16  # for answers that need no analysis: pages, health, refusals


@dataclass(frozen=True)
class WebSettings(ClientSettings):
    """As ClientSettings: the field `max_waiting` is the variable `DEEPFAKE_MAX_WAITING`, and so on."""

    host: str = setting("127.0.0.1", "address that the web application listens on")
    port: int = setting(8080, "its port; 0 takes a free one", zero=True)
    max_analyses: int = setting(2, "files analysed at once")
    max_waiting: int = setting(8, "files that are uploaded or wait for their turn meanwhile", zero=True)
    max_wait_s: float = setting(60.0, "longest wait for a turn, seconds")
    max_upload_s: float = setting(600.0, "longest upload, seconds")
    max_stall_s: float = setting(20.0, "longest silence of a client, and time for a request's head, seconds")
    upload_folder: str = setting("", "where an upload lies until its answer is sent; empty takes the system's folder")
    triton_metrics: str = setting(
        "", "host:port of Triton's metrics, which say what models run on; empty asks their configurations"
    )

    def __post_init__(self) -> None:
        if not 0 <= self.port <= LAST_PORT:
            raise UsageError(f"--port or DEEPFAKE_PORT must be from 0 to {LAST_PORT}, but is {self.port}.")
        super().__post_init__()

    @property
    def threads(self) -> int:
        return self.max_analyses + self.max_waiting + SPARE_THREADS
