// Reads id_str of JSON lines by simdjson On-Demand on one thread: `simdjson FILE PASSES`. For each
// pass the seconds of the processor, as a stream of documents and line by line; then the count of
// the records and the sum of their IDs.

#include <simdjson.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

static double seconds() {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static uint64_t number(std::string_view digits) {
    uint64_t value = 0;
    for (char digit : digits) value = value * 10 + (digit - '0');
    return value;
}

int main(int, char **arguments) {
    simdjson::padded_string text;
    if (simdjson::padded_string::load(arguments[1]).get(text)) return 1;
    uint64_t records = 0, sum = 0;
    for (int passes = atoi(arguments[2]); passes > 0; passes--) {
        simdjson::ondemand::parser parser;
        std::string_view id;

        double begin = seconds();
        simdjson::ondemand::document_stream stream;
        if (parser.iterate_many(text, 1 << 20).get(stream)) return 2;
        for (auto document : stream) {
            if (document["id_str"].get_string().get(id)) return 3;
            records++;
            sum += number(id);
        }
        double as_stream = seconds() - begin;

        begin = seconds();
        const char *line = text.data(), *end = line + text.size();
        while (line < end) {
            const char *feed = static_cast<const char *>(memchr(line, '\n', end - line));
            if (!feed) feed = end;
            simdjson::ondemand::document document;
            size_t capacity = feed - line + simdjson::SIMDJSON_PADDING + (end - feed);
            if (parser.iterate(line, feed - line, capacity).get(document)) return 4;
            if (document["id_str"].get_string().get(id)) return 5;
            records++;
            sum += number(id);
            line = feed + 1;
        }
        printf("%.6f %.6f\n", as_stream, seconds() - begin);
    }
    printf("%lu %lu\n", records, sum);
}
