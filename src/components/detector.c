#include "components/detector.h"

const struct option_words detector_words = {
    .unknown = "unrecognized detector",
    .words = (const struct option_word[]){{"fsnotify", DETECTOR_EVENTS}, {"poll", DETECTOR_POLL}, {0}},
};
