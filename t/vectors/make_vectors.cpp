// t/vectors/make_vectors.cpp: writes the golden entries into a directory.
// Run it for a new version of the format, never to make a test pass.
#include <cstdio>
#include <fstream>

#include "vectors.hpp"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    for (const vectors::Vector& vector : vectors::all()) {
        const std::string path =
            std::string(argv[1]) + "/" + vector.name + ".bin";
        std::ofstream file(path, std::ios::binary);
        file << vector.head << vector.body;
        file.close();
        if (!file) {
            std::perror(path.c_str());
            return 1;
        }
    }
    return 0;
}
