// SPDX-License-Identifier: Apache-2.0
// What became of the shape of a state, for people: two texts of lines "what: how it is" (state_words in
// leat/operator.h), compared by what they speak of.
//
// Thread: any; nothing is kept.
#ifndef RUNTIME_SHAPE_H
#define RUNTIME_SHAPE_H

#define SHAPE_CHANGES 600

// "join key was a INT, is b INT; …". What there is no room for is left out, with "…". NULL = no words are known.
void shape_changes(const char *was, const char *now, char text[SHAPE_CHANGES]);

#endif
