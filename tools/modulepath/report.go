package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
)

// report lists the changes and the remaining tasks of the owner.
func (m *move) report(ctx context.Context, out io.Writer) error {
	changed, err := m.tree.changed(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s is now %s\n%s is now %s\n", m.old.path, m.new.path, m.old.buf, m.new.buf)
	fmt.Fprintf(out, "%d files changed: %s\n", len(changed), kinds(changed))

	fmt.Fprintf(out, "\nNothing is committed. Remaining tasks:\n")
	fmt.Fprintf(out, "- git diff; make check demo test; a commit. `git reset --hard && git clean -fd` undoes the move.\n")
	fmt.Fprintf(out, "- Serve the repository at https://%s, or name its place there in a go-import meta tag. Point your clones at it.\n", m.new.path)
	fmt.Fprintf(out, "- Create %s on buf's registry before the first `buf push`.\n", m.new.buf)
	if len(m.links) > 0 {
		fmt.Fprintf(out, "- Look at the links to https://%s: the rest of each link follows the old site. In %s.\n", m.new.path, strings.Join(m.links, ", "))
	}
	mentions, err := m.mentions(ctx)
	if err != nil {
		return err
	}
	if len(mentions) > 0 {
		fmt.Fprintf(out, "- Look at other mentions of the owner of %s, such as badges. In %s.\n", m.old.path, strings.Join(mentions, ", "))
	}
	return nil
}

// kinds counts files by their extension: "3 .go, 1 .md".
func kinds(files []string) string {
	counts := make(map[string]int)
	for _, name := range files {
		kind := path.Ext(name)
		if kind == "" {
			kind = path.Base(name)
		}
		counts[kind]++
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[kind], kind))
	}
	return strings.Join(parts, ", ")
}

// mentions returns the files with other mentions of the old path's owner: with its host or
// its name.
func (m *move) mentions(ctx context.Context) ([]string, error) {
	files, err := m.tree.files(ctx)
	if err != nil {
		return nil, err
	}
	owner := path.Dir(m.old.path)
	if !strings.Contains(owner, "/") {
		owner = m.old.path // the host alone is no owner
	}
	var mentions []string
	for _, name := range files {
		text, err := m.tree.read(name)
		if err != nil {
			return nil, err
		}
		// The new names may contain the old ones.
		rest := strings.NewReplacer(m.new.path, "", m.new.buf, "").Replace(string(text))
		if strings.Contains(rest, owner) || strings.Contains(rest, ownerAndName(m.old.path)) {
			mentions = append(mentions, name)
		}
	}
	return mentions, nil
}
