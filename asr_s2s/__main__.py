"""``python -m asr_s2s`` is the same command as ``asr-s2s``."""

from asr_s2s.cli import main

if __name__ == "__main__":
    main()
