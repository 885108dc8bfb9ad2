"""Makes clean speech sound as it does elsewhere: with noise, in a room."""

import numpy as np
from numpy.typing import NDArray


def mix_noise(
    samples: NDArray[np.float32], noise: NDArray[np.float32], *, snr_db: float, start: int = 0
) -> NDArray[np.float32]:
    """Add noise at a signal-to-noise ratio that holds exactly over the whole clip.

    The noise is taken from its sample `start` on and repeated as often as needed. Where the speech or the noise is
    silent the ratio has no meaning, and the speech comes back as it was. The sum may go beyond [-1, 1].
    samples: (time,)
    noise: (any time above 0,)
    returns: (time,)
    """
    assert len(noise) > 0, "noise of no length"
    added = np.take(noise, np.arange(start, start + len(samples)), mode="wrap")
    speech_power, noise_power = _power(samples), _power(added)
    if speech_power == 0.0 or noise_power == 0.0:
        return samples.astype(np.float32)
    gain = np.sqrt(speech_power / noise_power) * 10.0 ** (-snr_db / 20)
    return np.asarray(samples + gain * added, dtype=np.float32)


def add_reverberation(samples: NDArray[np.float32], impulse_response: NDArray[np.float32]) -> NDArray[np.float32]:
    """Play a sound in the room of an impulse response, without delay and with the power it had.

    The strongest sample of the response is the direct path, and stands at time 0, so that word times stay true.
    samples: (time,)
    impulse_response: (any time above 0,)
    returns: (time,); what rings on after the end is cut off
    """
    power = _power(samples)
    size = len(samples) + len(impulse_response) - 1
    size = 1 << (size - 1).bit_length()  # a length that the FFT is fast at, without wrapping round
    spectrum = np.fft.rfft(samples, size) * np.fft.rfft(impulse_response, size)
    direct = int(np.abs(impulse_response).argmax())
    wet = np.fft.irfft(spectrum, size)[direct : direct + len(samples)]
    wet_power = _power(wet)
    if power == 0.0 or wet_power == 0.0:
        return np.zeros_like(samples, dtype=np.float32)
    return np.asarray(wet * np.sqrt(power / wet_power), dtype=np.float32)


def _power(samples: NDArray[np.floating]) -> float:
    """Return the mean square, summed in double precision."""
    return float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
