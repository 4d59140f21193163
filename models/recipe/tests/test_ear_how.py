"""The tune of an utterance, the classes of how it was said, and the graph that ships."""

import numpy as np
import onnxruntime
import pytest
import torch

from trunkline_recipe.omni.ear_asked import stated
from trunkline_recipe.omni.ear_how import CLASSES, SITUATIONS, Classifier, HowRows, build, factor_logits, mixing
from trunkline_recipe.omni.ear_pooled import POOLED, SOUND, feature_model
from trunkline_recipe.omni.ear_replies import MARKS, REPLIES, judged, situation
from trunkline_recipe.omni.ear_tune import TUNE, contour, tune_features

RATE = 16000


def voice(hertz, noise=0.0, seed=1):
    """A buzz whose fundamental follows `hertz`, one value for 10 ms, without what lies below 300 Hz, as a telephone carries it."""
    phase = 2 * np.pi * np.cumsum(np.repeat(np.asarray(hertz, np.float64), RATE // 100)) / RATE
    pitch = np.repeat(np.asarray(hertz, np.float64), RATE // 100)
    pcm = sum(np.where(pitch * k > 300, np.sin(k * phase) / k, 0) for k in range(2, 20))
    return (0.2 * pcm + noise * np.random.default_rng(seed).standard_normal(len(pcm))).astype(np.float32)


def glide(*points):
    """(semitones above 120 Hz) at equal distances over a second."""
    return 120 * 2 ** (np.interp(np.linspace(0, len(points) - 1, 100), range(len(points)), points) / 12)


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_follows_a_pitch_whose_fundamental_is_cut(noise):
    hertz = glide(4, 2, 0, -3)
    pitch, _, _ = contour(voice(hertz, noise))
    inner = slice(5, 95)
    assert np.isnan(pitch[inner]).mean() < 0.05
    away = 12 * (pitch - np.log2(hertz / 70))[inner]
    assert np.nanpercentile(np.abs(away), 95) < 0.7


def test_noise_has_no_tune():
    assert not tune_features(np.zeros(RATE, np.float32)).any()
    noise = np.random.default_rng(2).standard_normal(RATE).astype(np.float32)
    assert np.isnan(contour(noise)[0]).mean() > 0.8


@pytest.mark.parametrize("silence", [0, 4000])
def test_a_rise_and_a_fall_differ_whatever_follows(silence):
    rise, fall = (np.pad(voice(glide(2, 0, -2, end)), (0, silence)) for end in (6, -7))
    assert tune_features(rise)[0] > 3 and tune_features(rise)[14] > 0
    assert tune_features(fall)[0] < -2 and tune_features(fall)[14] < 0


@pytest.mark.parametrize("samples", [0, 1, 159, 400])
def test_takes_the_shortest_sounds(samples):
    assert tune_features(np.ones(samples, np.float32)).shape == (TUNE,)


def test_the_graph_is_the_classifier(tmp_path):
    torch.manual_seed(3)
    net, rows = Classifier().eval(), HowRows()
    torch.nn.init.normal_(rows.first)
    torch.nn.init.normal_(rows.second)
    build(net, rows, tmp_path)
    rng = np.random.default_rng(4)
    frames = 40
    feeds = {
        "tune": rng.standard_normal((1, TUNE)).astype(np.float32),
        "mel": rng.standard_normal((1, 80, 2 * frames)).astype(np.float32),
        "hidden": rng.standard_normal((1, frames, 512)).astype(np.float32),
    }
    classes, how = onnxruntime.InferenceSession(str(tmp_path / "how.onnx")).run(["classes", "how"], feeds)
    plain, pooled = onnxruntime.InferenceSession(feature_model().SerializeToString()).run(None, feeds)
    assert plain.shape == (1, SOUND) and pooled.shape == (1, POOLED)
    with torch.no_grad():
        logits = net(*(torch.from_numpy(x) for x in (feeds["tune"], plain, pooled)))
        wanted = torch.cat([part.softmax(1) for part in factor_logits(logits)], dim=1)
        sharp = torch.cat([(6 * part).softmax(1) for part in factor_logits(logits)], dim=1)
        first, second = mixing(sharp)
        tokens = rows(first[0], second[0])
    assert classes.shape == (1, len(CLASSES))
    assert np.abs(classes - wanted.numpy()).max() < 2e-3
    assert np.abs(how[0] - tokens.numpy()).max() < 5e-2


def test_weights_of_the_rows_add_up():
    logits = torch.randn(5, len(CLASSES))
    first, second = mixing(torch.cat([part.softmax(1) for part in factor_logits(logits)], dim=1))
    assert first.shape == (5, len(SITUATIONS))
    assert torch.allclose(first.sum(1), torch.ones(5)) and torch.allclose(second.sum(1), torch.ones(5))


def test_every_reply_is_told_from_the_others():
    assert set(MARKS) == set(REPLIES)
    assert {name: judged(text) for name, text in REPLIES.items()} == {name: name for name in REPLIES}
    assert judged("We open at nine.") is None
    assert situation("speech", "question", "loud") == "loud" and situation("music", None, None) == "music"


def test_questions_in_the_words_of_a_statement():
    assert stated("Are you open on Saturday?") == "You are open on Saturday"
    assert stated("Do you deliver?") == "You deliver"
    assert stated("Where are you?") is None
