/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/top_screen.h"

#include <curses.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

enum {
	ESCAPE_MS = 25, /* a key that sends ESC and more sends it at once */
	SEQUENCE_SIZE = 64,
	WIDTH_DEFAULT = 80,
	HEIGHT_DEFAULT = 24,
};

/* Pairs of colours, by what they are for. */
enum { PAIR_WARN = 1, PAIR_BAD };

/* What a crash needs to give the terminal back, ready made. */
static struct {
	SCREEN *screen;
	struct termios before;
	char leave[2 * SEQUENCE_SIZE];
	attr_t attributes[LP_TOP_STYLES];
} terminal;

static const int crashes[] = {
    SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV};

static void choose_attributes(bool color);
static void watch_crashes(void);

int
lp_top_screen_start(bool color, struct lp_error *error)
{
	const char *term = getenv("TERM");

	(void)setlocale(LC_CTYPE, "");
	(void)tcgetattr(STDIN_FILENO, &terminal.before);
	terminal.screen = newterm(NULL, stdout, stdin);
	if (terminal.screen == NULL || cursor_address == NULL) {
		lp_top_screen_stop();
		return lp_error_set(error, LP_EXIT_USAGE,
		    "TERM=%s: no terminal whose cursor can be moved; see "
		    "--batch",
		    term != NULL ? term : "");
	}
	(void)set_escdelay(ESCAPE_MS);
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	choose_attributes(color);
	watch_crashes();
	return LP_EXIT_OK;
}

void
lp_top_screen_stop(void)
{
	if (terminal.screen == NULL)
		return;
	(void)endwin();
	delscreen(terminal.screen);
	terminal.screen = NULL;
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		(void)signal(crashes[i], SIG_DFL);
}

/* Bold, reverse and the like need no colours, and say the same. */
static void
choose_attributes(bool color)
{
	attr_t *attributes = terminal.attributes;

	attributes[LP_TOP_STYLE_PLAIN] = A_NORMAL;
	attributes[LP_TOP_STYLE_TITLE] = A_BOLD;
	attributes[LP_TOP_STYLE_CHOSEN] = A_REVERSE;
	attributes[LP_TOP_STYLE_WARN] = A_BOLD;
	attributes[LP_TOP_STYLE_BAD] = A_BOLD;
	if (!color || !has_colors() || start_color() == ERR ||
	    use_default_colors() == ERR)
		return;
	(void)init_pair(PAIR_WARN, COLOR_YELLOW, -1);
	(void)init_pair(PAIR_BAD, COLOR_RED, -1);
	attributes[LP_TOP_STYLE_WARN] = COLOR_PAIR(PAIR_WARN);
	attributes[LP_TOP_STYLE_BAD] = COLOR_PAIR(PAIR_BAD);
}

/* ---- a crash ----------------------------------------------------------------
 */

/* Async-signal-safe: the sequences are ready, and ncurses is not asked. */
static void
give_back(int signal_number)
{
	ssize_t written =
	    write(STDOUT_FILENO, terminal.leave, strlen(terminal.leave));

	(void)written;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
	(void)raise(signal_number); /* SA_RESETHAND: the default now */
}

static void
watch_crashes(void)
{
	struct sigaction action = {
	    .sa_handler = give_back,
	    .sa_flags = SA_RESETHAND | SA_NODEFER,
	};
	const char *const sequences[] = {
	    exit_attribute_mode, cursor_normal, exit_ca_mode};

	terminal.leave[0] = '\0';
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		if (sequences[i] != NULL &&
		    strlen(terminal.leave) + strlen(sequences[i]) <
			sizeof(terminal.leave))
			(void)strcat(terminal.leave, sequences[i]);
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		(void)sigaction(crashes[i], &action, NULL);
}

/* ---- size, picture, keys ----------------------------------------------------
 */

void
lp_top_screen_resize(unsigned *width, unsigned *height)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 ||
	    size.ws_row == 0) {
		size.ws_col = WIDTH_DEFAULT;
		size.ws_row = HEIGHT_DEFAULT;
	}
	(void)resizeterm(size.ws_row, size.ws_col);
	*width = size.ws_col;
	*height = size.ws_row;
}

static void
draw_line(const struct lp_top_page *page, unsigned y)
{
	const char *text = page->text + (size_t)y * page->width;
	const uint8_t *styles = page->styles + (size_t)y * page->width;
	unsigned end;

	for (unsigned x = 0; x < page->width; x = end) {
		for (end = x; end < page->width && styles[end] == styles[x];
		     end++)
			;
		(void)attrset((int)terminal.attributes[styles[x]]);
		(void)mvaddnstr((int)y, (int)x, text + x, (int)(end - x));
	}
}

void
lp_top_screen_draw(const struct lp_top_page *page, bool repaint)
{
	if (repaint)
		(void)clearok(stdscr, TRUE);
	(void)erase();
	for (unsigned y = 0; y < page->height; y++)
		draw_line(page, y);
	(void)attrset(A_NORMAL);
	(void)curs_set(page->cursor ? 1 : 0);
	(void)move((int)page->cursor_y, (int)page->cursor_x);
	(void)refresh();
}

int
lp_top_screen_key(void)
{
	int key = getch();

	switch (key) {
	case ERR:
		return LP_TOP_KEY_NONE;
	case KEY_UP:
		return LP_TOP_KEY_UP;
	case KEY_DOWN:
		return LP_TOP_KEY_DOWN;
	case KEY_LEFT:
		return LP_TOP_KEY_LEFT;
	case KEY_RIGHT:
		return LP_TOP_KEY_RIGHT;
	case KEY_PPAGE:
		return LP_TOP_KEY_PAGE_UP;
	case KEY_NPAGE:
		return LP_TOP_KEY_PAGE_DOWN;
	case KEY_HOME:
		return LP_TOP_KEY_HOME;
	case KEY_END:
		return LP_TOP_KEY_END;
	case KEY_BACKSPACE:
		return LP_TOP_KEY_BACKSPACE;
	case KEY_BTAB:
		return LP_TOP_KEY_BACKTAB;
	case KEY_ENTER:
		return '\n';
	default:
		/* Other keys of ncurses have no meaning here. */
		return key <= UINT8_MAX ? key : LP_TOP_KEY_REPAINT;
	}
}
