// Checks a log of this platform with code that is not ours: golang.org/x/mod/sumdb, the packages behind Go's own
// checksum database. Only the folder's layout and the forms of the files are read here; every hash, every proof and
// every signature is the packages' business.
//
//	foreign log FOLDER VKEY_FILE [EARLIER_CHECKPOINT]...
//	foreign proofs VKEY_FILE [PROOF ENTRY]...
//
// Every finding is a line "finding INDEX PLACE: REASON", INDEX being that of the first entry it concerns. It ends with
// 0 if there was none, with 1 if there was one, with 2 if it was called wrongly.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	treeHeader = "go.sum database tree"
)

var findings int

func find(index int64, place string, reason interface{}) {
	findings++
	if findings <= 1000 {
		fmt.Printf("finding %d %s: %v\n", index, place, reason)
	}
}

func main() {
	started := time.Now()
	switch arguments := os.Args[1:]; {
	case len(arguments) >= 3 && arguments[0] == "log":
		size := checkLog(arguments[1], readKey(arguments[2]), arguments[3:])
		fmt.Printf("%d entries, %d findings, %.3f s\n", size, findings, time.Since(started).Seconds())
	case len(arguments) >= 2 && len(arguments)%2 == 0 && arguments[0] == "proofs":
		key := readKey(arguments[1])
		for files := arguments[2:]; len(files) > 0; files = files[2:] {
			if index, err := checkProof(key, files[0], files[1]); err != nil {
				find(index, files[0], err)
			}
		}
		fmt.Printf("%d proofs, %d findings\n", len(arguments)/2-1, findings)
	default:
		fmt.Fprintln(os.Stderr, "foreign log FOLDER VKEY_FILE [EARLIER_CHECKPOINT]...\nforeign proofs VKEY_FILE [PROOF ENTRY]...")
		os.Exit(2)
	}
	if findings > 0 {
		os.Exit(1)
	}
}

func readKey(file string) note.Verifier {
	text, err := os.ReadFile(file)
	if err == nil {
		var key note.Verifier
		if key, err = note.NewVerifier(strings.TrimSuffix(string(text), "\n")); err == nil {
			return key
		}
	}
	fmt.Fprintln(os.Stderr, file, err)
	os.Exit(2)
	return nil
}

// openCheckpoint answers with the tree that the log's key signed.
func openCheckpoint(key note.Verifier, signed []byte) (tlog.Tree, error) {
	opened, err := note.Open(signed, note.VerifierList(key))
	if err != nil {
		return tlog.Tree{}, err
	}
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	if origin != key.Name() {
		return tlog.Tree{}, fmt.Errorf("it is of the log %q", origin)
	}
	// A checkpoint differs from the note of Go's own database in its first line only.
	return tlog.ParseTree([]byte(treeHeader + "\n" + rest))
}

func checkLog(folder string, key note.Verifier, earlier []string) int64 {
	signed, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		find(0, "checkpoint", err)
		return 0
	}
	tree, err := openCheckpoint(key, signed)
	if err != nil {
		find(0, "checkpoint", err)
		return 0
	}
	hashes, err := recompute(folder, tree.N)
	if err != nil {
		find(0, "tile", err)
		return tree.N
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil || root != tree.Hash {
		find(0, "checkpoint", fmt.Sprintf("the entries have the root %v, but it says %v %v", root, tree.Hash, errOrNothing(err)))
	}
	checkUpper(folder, tree.N, hashes)
	for _, file := range earlier {
		if err := checkContinues(folder, key, tree, file); err != nil {
			find(0, file, err)
		}
	}
	return tree.N
}

func errOrNothing(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// stored holds every hash of the tree in the order of the packages' numbering.
type stored []tlog.Hash

func (hashes stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	read := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(hashes)) {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		read[i] = hashes[index]
	}
	return read, nil
}

// recompute hashes every entry anew and compares it with its tile of level 0. What cannot be read is a finding, and
// then the other of the two stands in, so that what follows is still compared.
func recompute(folder string, size int64) (stored, error) {
	// A checkpoint may claim any size: only as many are made room for as a machine can have.
	hashes := make(stored, 0, 2*min(size, 1<<24))
	for first := int64(0); first < size; first += tileWidth {
		width := int(min(tileWidth, size-first))
		place := path("entries", first/tileWidth, width)
		tilePlace := path("0", first/tileWidth, width)
		tile, tileErr := readTile(folder, tilePlace, width)
		if tileErr != nil {
			find(first, tilePlace, tileErr)
		}
		leaves, err := readBundle(folder, place, width)
		if err != nil {
			find(first, place, err)
			leaves = tile
		}
		if err != nil && tileErr != nil {
			return nil, errors.New("an entry bundle and its tile are both lost: the rest was not looked at")
		}
		for i, leaf := range leaves {
			if tileErr == nil && leaf != tile[i] {
				find(first+int64(i), place+" or "+tilePlace, "the entry does not have the hash in the tile")
			}
			added, err := tlog.StoredHashesForRecordHash(first+int64(i), leaf, hashes)
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, added...)
		}
		checkEarlier(folder, place, first, width)
		checkEarlier(folder, tilePlace, first, width)
	}
	return hashes, nil
}

// checkUpper compares the tiles above level 0 with the hashes that follow from the entries.
func checkUpper(folder string, size int64, hashes stored) {
	for level := 1; size>>(uint(level)*tileHeight) > 0; level++ {
		count := size >> (uint(level) * tileHeight)
		for first := int64(0); first < count; first += tileWidth {
			width := int(min(tileWidth, count-first))
			place := path(strconv.Itoa(level), first/tileWidth, width)
			entry := first << (uint(level) * tileHeight)
			tile, err := readTile(folder, place, width)
			if err != nil {
				find(entry, place, err)
				continue
			}
			for i, hash := range tile {
				if hash != hashes[tlog.StoredHashIndex(level*tileHeight, first+int64(i))] {
					find(entry, place, fmt.Sprintf("its hash %d is not that of the entries below", i))
					break
				}
			}
			checkEarlier(folder, place, entry, width)
		}
	}
}

// checkContinues proves from the tiles, as any client would, that the log is a continuation of an earlier checkpoint.
func checkContinues(folder string, key note.Verifier, tree tlog.Tree, file string) error {
	signed, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	earlier, err := openCheckpoint(key, signed)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, earlier.N, tlog.TileHashReader(tree, tiles(folder)))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, earlier.N, earlier.Hash)
}

// tiles reads the folder for the packages' own client, which compares every tile with the signed root.
type tiles string

func (tiles) Height() int                     { return tileHeight }
func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (folder tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, len(wanted))
	for i, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(string(folder), path(strconv.Itoa(tile.L), tile.N, tile.W)))
		if err != nil {
			return nil, err
		}
		read[i] = data
	}
	return read, nil
}

// path is that of C2SP tlog-tiles, which leaves out the height that the packages' own paths have.
func path(kind string, number int64, width int) string {
	own := tlog.Tile{H: tileHeight, L: 0, N: number, W: width}.Path()
	return "tile/" + kind + strings.TrimPrefix(own, fmt.Sprintf("tile/%d/0", tileHeight))
}

func readTile(folder, place string, width int) ([]tlog.Hash, error) {
	data, err := os.ReadFile(filepath.Join(folder, place))
	if err != nil {
		return nil, err
	}
	if len(data) != width*tlog.HashSize {
		return nil, fmt.Errorf("%d bytes are not %d hashes", len(data), width)
	}
	hashes := make([]tlog.Hash, width)
	for i := range hashes {
		copy(hashes[i][:], data[i*tlog.HashSize:])
	}
	return hashes, nil
}

// checkEarlier compares what earlier checkpoints left beside an open tile or bundle: each must be its beginning.
func checkEarlier(folder, place string, index int64, width int) {
	if width == tileWidth {
		return
	}
	// If the open one itself cannot be read, that was found.
	whole, err := os.ReadFile(filepath.Join(folder, place))
	beside, _ := filepath.Glob(filepath.Join(folder, filepath.Dir(place), "*"))
	for _, file := range beside {
		earlier, noNumber := strconv.Atoi(filepath.Base(file))
		if err != nil || noNumber != nil || earlier >= width {
			continue
		}
		place := filepath.Dir(place) + "/" + filepath.Base(file)
		read := readTile
		if strings.HasPrefix(place, "tile/entries/") {
			read = readBundle
		}
		part, err := os.ReadFile(file)
		if err == nil {
			_, err = read(folder, place, earlier)
		}
		if err == nil && !bytes.HasPrefix(whole, part) {
			err = errors.New("it is not the beginning of the open one")
		}
		if err != nil {
			find(index, place, err)
		}
	}
}

// readBundle answers with the leaf hashes of a bundle: entries one after the other, each after its length in 2 bytes.
func readBundle(folder, place string, width int) ([]tlog.Hash, error) {
	data, err := os.ReadFile(filepath.Join(folder, place))
	if err != nil {
		return nil, err
	}
	leaves := make([]tlog.Hash, 0, width)
	for len(data) >= 2 {
		length := int(binary.BigEndian.Uint16(data))
		if len(data)-2 < length {
			break
		}
		leaves = append(leaves, tlog.RecordHash(data[2:2+length]))
		data = data[2+length:]
	}
	if len(data) > 0 || len(leaves) != width {
		return nil, fmt.Errorf("it is not %d entries", width)
	}
	return leaves, nil
}

// checkProof checks a file of C2SP tlog-proof for the entry that stands in another file.
func checkProof(key note.Verifier, proofFile, entryFile string) (int64, error) {
	file, err := os.ReadFile(proofFile)
	if err != nil {
		return 0, err
	}
	entry, err := os.ReadFile(entryFile)
	if err != nil {
		return 0, err
	}
	end := bytes.Index(file, []byte("\n\n"))
	if end < 0 {
		return 0, errors.New("it has no checkpoint")
	}
	lines := strings.Split(string(file[:end]), "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, fmt.Errorf("it begins with %q", lines[0])
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return 0, errors.New("it has no index")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return 0, err
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return index, err
		}
		proof = append(proof, hash)
	}
	tree, err := openCheckpoint(key, file[end+2:])
	if err != nil {
		return index, err
	}
	return index, tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}
