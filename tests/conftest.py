"""What all tests share: a start from known ground."""

import signal

# A shell starts what it puts into the background with these ignored, and every program that a test
# starts would inherit that.
for _number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTSTP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)
