// Tlogcheck checks a folder of C2SP tiles with the packages that check Go's own module log.
//
//	tlogcheck FOLDER VKEY OLDER-CHECKPOINT CONSISTENCY-PROOF PROOF-FILE...
//
// Nothing here is ours but reading files: signatures are note's, hashes, roots and proofs tlog's.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// folder reads tiles; the specification leaves the height out of their paths.
type folder string

func (f folder) Height() int { return height }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// entries are the exact bytes of all entries, each behind its length.
func (f folder) entries(size int64) ([][]byte, error) {
	var found [][]byte
	for n := int64(0); n<<height < size; n++ {
		width := min(size-n<<height, 1<<height)
		tile := tlog.Tile{H: height, L: 0, N: n, W: int(width)}
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/0/", height), "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		for len(data) > 0 {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return nil, errors.New("an entry is cut off")
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			found = append(found, data[2:end])
			data = data[end:]
		}
	}
	if int64(len(found)) != size {
		return nil, fmt.Errorf("%d entries of %d", len(found), size)
	}
	return found, nil
}

func head(signed []byte, known note.Verifiers) (tlog.Tree, error) {
	opened, err := note.Open(signed, known)
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 {
		return tlog.Tree{}, errors.New("this is no checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func hashes(lines []string) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, line := range lines {
		one, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, nil
}

// place checks one proof file by its own head.
func place(file string, known note.Verifiers) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, signed, _ := bytes.Cut(data, []byte("\n\n"))
	tree, err := head(signed, known)
	if err != nil {
		return err
	}
	lines := strings.Split(string(before), "\n")
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	path, err := hashes(lines[3:])
	if err != nil {
		return err
	}
	return tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

func check(dir, vkey, older, consistency string, proofs []string) error {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	known := note.VerifierList(verifier)
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := head(signed, known)
	if err != nil {
		return fmt.Errorf("head: %w", err)
	}
	reader := tlog.TileHashReader(tree, folder(dir))
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil || root != tree.Hash {
		return fmt.Errorf("tiles: another root (%v)", err)
	}
	entries, err := folder(dir).entries(tree.N)
	if err != nil {
		return fmt.Errorf("entries: %w", err)
	}
	for n, entry := range entries {
		proof, err := tlog.ProveRecord(tree.N, int64(n), reader)
		if err != nil {
			return fmt.Errorf("tiles: %w", err)
		}
		if err := tlog.CheckRecord(proof, tree.N, root, int64(n), tlog.RecordHash(entry)); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
	}
	kept, err := os.ReadFile(older)
	if err != nil {
		return err
	}
	before, err := head(kept, known)
	if err != nil {
		return fmt.Errorf("older head: %w", err)
	}
	made, err := tlog.ProveTree(tree.N, before.N, reader)
	if err != nil {
		return fmt.Errorf("tiles: %w", err)
	}
	if err := tlog.CheckTree(made, tree.N, root, before.N, before.Hash); err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	text, err := os.ReadFile(consistency)
	if err != nil {
		return err
	}
	given, err := hashes(strings.Fields(string(text)))
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(given, tree.N, root, before.N, before.Hash); err != nil {
		return fmt.Errorf("consistency proof: %w", err)
	}
	for _, file := range proofs {
		if err := place(file, known); err != nil {
			return fmt.Errorf("proof file: %w", err)
		}
	}
	fmt.Printf("agrees: %d entries, %d proofs, root %v\n", tree.N, len(proofs), root)
	return nil
}

func main() {
	if err := check(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5:]); err != nil {
		fmt.Println("differs:", err)
		os.Exit(1)
	}
}
