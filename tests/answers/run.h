// SPDX-License-Identifier: Apache-2.0
// What the programs that put recorded questions have in common: their words, the file of questions line by line, the
// tallies by category, and the report.
//
// A program fills the first part of struct run, and calls run_begin and run_finish. It counts each question in the
// tally of its category as one of passed, listed (a difference that differences.tsv covers), failed and skipped.
#ifndef ANSWERS_RUN_H
#define ANSWERS_RUN_H

#include <stddef.h>

#include "differences.h"

#define RUN_CATEGORIES_MAX 64

struct tally {
    char category[64];
    double least; // percent of its cases that must pass
    unsigned passed, listed, failed, skipped;
};

// A tally in sum. What is skipped is no case; what is listed beyond the share that may be so counts as failed.
struct counts {
    unsigned cases, passed, failed, skipped;
    unsigned listed, over; // of the passed; of the failed
};

struct run {
    const char *usage;    // what follows "usage: "
    const char *category; // the option that names the only category to ask
    const char *file;     // the questions; a word of the command line names another one
    double least;         // of each category; < 0: --min takes CATEGORY=PERCENT, and what it does not name needs none
    unsigned listed_of_100;
    int needs_cases; // a category that has a least share must have cases
    void *arg;       // the program's own
    // A line of the file, its end included. 0 = it cannot be read: `fault` says why.
    int (*take)(struct run *run, char *line, size_t len);
    // Prints the line of a category.
    void (*report)(const struct tally *t, const struct counts *c);

    const char *only;
    int verbose;
    struct differences *differences;
    struct tally tallies[RUN_CATEGORIES_MAX];
    size_t categories;
    size_t line; // the number of the one that is taken, from 1
    char fault[256];
};

// 1 = good; 0 = said on stderr, the program ends with 2.
int run_begin(struct run *run, int argc, char **argv);
int run_asks(const struct run *run, const char *category);
struct tally *run_tally(struct run *run, const char *category);
// Takes the file, reports and frees. What the program ends with: 1 when a category passes less than it must.
int run_finish(struct run *run);

#endif
