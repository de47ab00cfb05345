"""Settings of all tests."""

from sim.common import toolchain


def pytest_report_header(config):
    """The tools that the results belong to, or why the simulator cannot run."""
    try:
        return [f"tools: {', '.join(f'{name} {version}' for name, version in toolchain.versions().items())}"]
    except toolchain.ToolchainError as error:
        return [f"tools: {error}"]
