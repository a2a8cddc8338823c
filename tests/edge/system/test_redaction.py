"""Addresses and pipelines that hold secrets, as they are spoken of alone and within a text."""

import pytest

from edge.system.redaction import censored, without_secrets

SECRET = "s3cr3t"
HIDING = [
    ("rtsp://user:s3cr3t@cam/live", "rtsp://***@cam/live"),
    ("rtsp://s3cr3t@cam/live", "rtsp://***@cam/live"),
    ("RTSP://user:s3cr3t@cam", "RTSP://***@cam"),
    ("rtsp:/user:s3cr3t@cam/live", "rtsp:/***@cam/live"),
    ("srt+x://user:s3cr3t@cam:1", "srt+x://***@cam:1"),
    ("rtsp://user:p@s3cr3t@cam:554/live", "rtsp://***@cam:554/live"),
    ("rtsp://user:p/s3cr3t@cam/live", "rtsp://***@cam/live"),
    ("rtsp://user:12/s3cr3t?s3cr3t#s3cr3t:s3cr3t@cam/live", "rtsp://***@cam/live"),
    ("rtsp://user:p://s3cr3t@cam/live", "rtsp://***@cam/live"),
    ("rtsp://user:p s3cr3t@[::1]:554/live", "rtsp://***@[::1]:554/live"),
    ("http://cam/v.mjpg?user=s3cr3t&password=s3cr3t&channel=2", "http://cam/v.mjpg?user=***&password=***&channel=2"),
    ("http://cam/v?password=p&s3cr3t&channel=2", "http://cam/v?password=***&channel=2"),
    ("http://cam/v?X-Amz-Signature=s3cr3t&fps=5", "http://cam/v?X-Amz-Signature=***&fps=5"),
    ("http://cam/v?unheard_of=s3cr3t", "http://cam/v?unheard_of=***"),
    ("http://cam/v?stream=s3cr3t%20and%20much%20more%20of%20it", "http://cam/v?stream=***"),
    ("http://cam/v?s3cr3t-without-a-name-0123456789", "http://cam/v?***"),
    ("http://cam/v?pin=1234&at=1", "http://cam/v?pin=***&at=1"),
    ("http://cam/v;session=s3cr3t?at=1", "http://cam/v;session=***?at=1"),
    ("http://cam/v#access_token=s3cr3t", "http://cam/v#access_token=***"),
    ("rtsp://cam/user=s3cr3t&password=s3cr3t&channel=1&stream=0.sdp?real_stream",
     "rtsp://cam/user=***&password=***&channel=1&stream=0.sdp?real_stream"),
    ("rtsp://cam/user=admin_password=s3cr3t_channel=1_stream=0.sdp", "rtsp://cam/user=***"),
    ("srt://cam:9000?mode=caller&passphrase=s3cr3t", "srt://cam:9000?mode=caller&passphrase=***"),
    ("srt://cam:9000?streamid=#!::u=me,s=s3cr3t&mode=caller", "srt://cam:9000?streamid=***&mode=caller"),
    ("rtspsrc location=rtsp://me:s3cr3t@cam/live user-id=s3cr3t user-pw=s3cr3t ! decodebin ! appsink",
     "rtspsrc location=rtsp://***@cam/live user-id=*** user-pw=*** ! decodebin ! appsink"),
    ('rtspsrc location="rtsp://cam/live" user-pw="a \\" s3cr3t" ! appsink',
     'rtspsrc location="rtsp://cam/live" user-pw=*** ! appsink'),
    ("souphttpsrc location=http://cam proxy-pw = 's3cr3t ! s3cr3t' ! appsink",
     "souphttpsrc location=http://cam proxy-pw = *** ! appsink"),
    ("srtsrc uri=srt://cam:1?passphrase=s3cr3t passphrase=s3cr3t ! appsink",
     "srtsrc uri=srt://cam:1?passphrase=*** passphrase=*** ! appsink"),
]  # fmt: skip
PLAIN = [
    "0", "/dev/video0", "talk.mp4", "a@b.mp4", "rtsp://cam/live", "http://127.0.0.1:80/a@b.mp4",
    "http://localhost/a@b.mp4", "http://[::1]:80/a@b?at=1", "http://cam:80/axis-cgi/mjpg/video.cgi?resolution=640x480&fps=5",
    "ipc:///run/me@home", "videotestsrc ! video/x-raw,width=640,format=I420 ! appsink",
]  # fmt: skip


@pytest.mark.parametrize(("spec", "expected"), HIDING)
def test_a_secret_is_hidden_and_the_rest_is_told(spec: str, expected: str) -> None:
    assert without_secrets(spec) == expected
    assert SECRET not in expected


@pytest.mark.parametrize("spec", PLAIN)
def test_what_holds_no_secret_is_told_as_it_was_given(spec: str) -> None:
    assert without_secrets(spec) == spec
    assert censored(f"cannot open camera {spec}: gone; see tcp://127.0.0.1:1") == (
        f"cannot open camera {spec}: gone; see tcp://127.0.0.1:1"
    )


@pytest.mark.parametrize(("spec", "expected"), HIDING)
@pytest.mark.parametrize("text", ["{}", "cannot open {}: gone; see http://***@other/x", "one\n('{}', 2)\nthree"])
def test_within_a_text_nothing_of_a_secret_is_left(text: str, spec: str, expected: str) -> None:
    said = censored(text.format(spec))
    assert SECRET not in said
    assert said.endswith(text.partition("{}")[2][-6:])
    assert censored(said) == said


@pytest.mark.parametrize(
    "remedy",
    [
        "give --to tcp://10.0.0.7:1,keys=DIR, or --from tcp://robot:65535,control=ADDRESS",
        "--backend tritons://gpu: its parameters are ca=FILE, cert=FILE, key=FILE, memory=shared; cert=FILE&key=FILE",
    ],
)
def test_what_a_user_is_to_give_is_no_secret(remedy: str) -> None:
    assert censored(remedy) == remedy


@pytest.mark.parametrize(("spec", "expected"), HIDING)
def test_what_is_hidden_already_stays_as_it_is(spec: str, expected: str) -> None:
    assert without_secrets(expected) == expected
    text = f"cannot open camera {expected}: no answer within 5 s; camera {expected} is gone"
    assert SECRET not in censored(text)
    assert "no answer within 5 s" in censored(text)
