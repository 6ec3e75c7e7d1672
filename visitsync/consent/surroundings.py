"""Places by what is said around them: where one lives, moves to, works or gets off.

A word right after "lives at", after a label such as 転居先, or after the kind of a place is taken
for its name unless it is one of every day.
"""

from __future__ import annotations

import re
from typing import Final

from visitsync.consent.naming import (
    LONGEST_NAME,
    WORDS,
    after,
    any_of,
    before,
    begins_with_known_name,
    ends_in_known_name,
    hiragana,
    is_no_everyday_word,
    is_word_for_nothing,
    listed,
    without_general,
)

_ENDINGS: Final = any_of(listed("ending"))
_KINDS: Final = any_of([*listed("ending"), *WORDS["kind"]["words"]])
_LABELS: Final = any_of(WORDS["label"]["words"])
_NOT_SAID: Final = "(?!\\s{0,2}(?:と(?!の[こ事])|って))"
"""What somebody says stands in the same marks as a name."""

# ── by themselves ─────────────────────────────────────────────────────────────────────────────────
_STOP: Final = re.compile(
    "(?:バス停|停留所)\\s?[:は→]\\s?(?!徒歩|遠|近|自宅|目の前)[一-龥ァ-ヺ]{2}|"
    "(?:バス停|停留所)は?[「『]|[」』](?:で|まで)(?:降|下車|来)|[一-龥ァ-ヺ]{2,8}前で(?:下車"
    "|降り)"
)
_RIVER: Final = re.compile(
    "[一-龥々〆ヶヵァ-ヺー](?:川|運河|用水|湖|沼|池|岬|浜|岳|山|島)"
    "(?:の(?:河川敷|土手|堤防|そば|近く|ほとり|ふもと|麓|見える|中腹)|沿い|べり|が(?:見え"
    "|近[いく]))"
)
_NEXT_TOWN: Final = re.compile("(?:隣|となり|お隣)の?(?:市|区|町|村|県)(?=[のにへで、。])")
_KIND_THEN_KANA: Final = re.compile(
    "(?:保育室|小規模保育|家庭的保育|一時預かり|広場|ひろば|児童発達支援|発達支援|放デイ|学童"
    "|センター|ステーション|こども園|道の駅|デイサービス|児童館|公民館|サロン)"
    "(?![にへでのがはをともやかだ]|な[のどらく]|まで|より|です|さん|い[やっくるう]|た[いの]"
    "|し[てたま]|す[るぐ]|ま[だた]|き[てたょの]|あ[しするり]|お[やむ]|な[しい]|く[るれ]|わか"
    "|よ[うい]|ゆ)"
    "[ぁ-んー]{3,}|(?:児童発達支援|発達支援|放デイ|デイサービス|こども園"
    "|児童館)\\s[ぁ-んー]{3,}(?=[。、\\s]|$)"
)
_KIND_IS_ONE: Final = re.compile(
    f"(?:{_ENDINGS})(?:は|:|→)\\s?(?:中央|[東西南北]部?|第[一二三1-3])(?=[。、\\s]|$)"
)
_HOSPITAL_IN_SHORT: Final = re.compile("[一-龥ァ-ヺ]{2}(?:HP|Hp|CL|Cl)(?![A-Za-z])")
_BY_ITSELF: Final = (
    _STOP, _RIVER, _NEXT_TOWN, _KIND_THEN_KANA, _KIND_IS_ONE, _HOSPITAL_IN_SHORT,
)  # fmt: skip

# ── a name before ─────────────────────────────────────────────────────────────────────────────────
_LIVES: Final = re.compile(
    "(?:の方|のほう|方面|あたり|辺り|周辺|近辺|市内|の家|宅)?(?:に|へ|で|から|より)\\s{0,2}"
    "(?:引っ?越|転居|転入|転出|移[りっるす転住]|住[んみむまもめ]|居住|在住|暮ら|避難|帰省|里帰り"
    "|身を寄せ|落ち着|滞在|入居|越し|逃げ|通勤|疎開|下車|降り|乗り?換え|待ち?合わ?せ|集合)"
    "|まで(?:迎え|送[りっる]|受診|検査|面接|行[っくき]|来て|電車|バス|自転車|徒歩|歩い|通[いうっ]"
    "|買い物|車で)|から\\s?(?:歩|徒歩|電車|バス|自転車|タクシー|車で|来て)|で(?:清掃|仕事|面接"
    "|買[いうっ]|検査|健診|出産|暮|過ごし|働[きくいこ]|勤務|パート|バイト|待ち|合流|買い物)"
    "|(?:の方|のほう)(?:に|へ|で|らし|だそう|です|とのこと|。)"
    "|を(?:離れ|引き払|去っ)|\\s?(?:出身(?!者)|在住|在勤|下車|集合|着いた|到着|経由"
    "|から(?:転[入居校園]|引っ?越|越して|通勤|通って))"
)
_BELONGS: Final = re.compile(
    f"の(?:職業|夜間|新しい|近く)?(?:{_KINDS}|{any_of(WORDS['belongs']['words'])}|子育てサロン|子育て広場)(?![事族計内])"
)
_AFTER_NAME: Final = (_LIVES, _BELONGS)

# ── a name behind ─────────────────────────────────────────────────────────────────────────────────
_LABELLED: Final = re.compile(
    f"(?:{_LABELS}|[一-龥]{{2}}先(?=\\s?[:→]))(?:\\([^()]{{0,8}}\\))?(?:(?:は|が|も|、|=)\\s?|\\s?[:→=]+\\s?|\\s"
    "|(?<=[先宅居停])(?=[一-龥ァ-ヺ]))"
)
_AT: Final = re.compile(
    "(?:住む|(?:場所|住所|転居先|引っ?越し先|避難先|送り先)(?:は|が|[:=→])\\s{0,2})"
)
_KIND_AND_COLON: Final = re.compile(
    f"(?:{_KINDS}|仕事|習い事|買い物|園|校)\\s?[:→=⇒]+\\s?(?=[一-龥ァ-ヺぁ-ん])"
)
_ALONE_IN_KANA: Final = re.compile("([ぁ-ん][ぁ-んー]{3,9})(?=[、。\\s]|$)")
_BEFORE_NAME: Final = (_LABELLED, _AT, _KIND_AND_COLON)

# ── a name within ─────────────────────────────────────────────────────────────────────────────────
_IS_AT: Final = re.compile(
    "(?:とこ|ところ|お?家|お?うち|駅|最寄り?|出身|前|今|場所|住んでるの"
    "|引っ?越したの)[はが]\\s?([一-龥ァ-ヺー]{2,8})(?:だ|です|なの|らしい|のほう|の方|で[、。])"
)
_KIND_IS: Final = re.compile(
    f"(?:{_KINDS}|ドラッグ|塾|買い物|訪看|メンタル|婦人科|産科|習い事|仕事)は\\s?(?:駅前の|近所の"
    f"|近くの|地元の)?([一-龥ァ-ヺー]{{2,10}})(?=[。、\\s]|$|に(?!よ|つ|は|も|し|な)|で(?:す|働"
    "|受|診)|を(?:よく)?(?:使|利用))"
)
_SHOP_IN_KATAKANA: Final = re.compile(
    "(?:近く|そば|隣|裏|向かい|前|中|駅ビル|[1一]階|[先帰]り?)(?:に|の|は|が"
    "|で)([ァ-ヺー]{3,16})(?=[がのでにへとも、。])"
    "|(?<![ァ-ヺー])([ァ-ヺー]{3,16})(?=のレジ|でレジ|を利用|に寄|で購入|で見つ|の惣菜|の品出し|でパート|のパート"
    "|で働|でバイト|のバイト|に勤|で買|[にへ]買い物|の店員|の(?:上|裏|前|隣|向かい|中"
    "|近く)(?:[のにでがへ、。]|$))"
)
_PICKED_UP: Final = re.compile(
    "(?:バス|待ち?合わ?せ)[^。バ待]{0,20}?([一-龥ァ-ヺー]{2,8})の?(?:前|横|角)(?:[にでだ、。]|まで|$)"
)
_SO_CALLED: Final = re.compile(
    "([一-龥ァ-ヺー]{2,10})(?:って|と)(?:いう|言う|ゆう)(?:ところ|所|お?店|園|学校|公園|駅|町"
    "|場所|病院|アパート|マンション|バス停|名前|ん)"
)
_AROUND_NAME: Final = (_IS_AT, _KIND_IS, _SHOP_IN_KATAKANA, _PICKED_UP, _SO_CALLED)

# ── a name in quotes or brackets, or after who founded it ─────────────────────────────────────────
_KIND_AND_QUOTE: Final = re.compile(
    f"(?:{_KINDS})(?:名?[はが:]"
    f'|の名前は)?\\s?[「『"“]([^「」『』、。"”]{{1,{LONGEST_NAME}}})[」』"”]{_NOT_SAID}'
)
_QUOTE_AND_DEED: Final = re.compile(
    f"[「『]([^「」『』、。]{{2,{LONGEST_NAME}}})[」』](?:さん)?(?:[にへ](?:預|決ま|登録|申し込"
    "|在籍|所属|変[えわ]|通[いうっわ]|入[園学所居院っ]|勤|住|引っ?越|行[くきっ]|避難|泊|移|就職"
    "|転)|で(?:働|待ち|集合|降|下車|パート|バイト|受診|健診|診て)|の(?:近く|隣|前|裏|向かい|角"
    "|上|先))"
)
_KIND_AND_BRACKET: Final = re.compile(
    f"(?:{_KINDS}|{_LABELS}|CW|家|仕事|地)\\(([^()]{{2,{LONGEST_NAME}}})\\)"
)
_KIND_NAMED: Final = re.compile(
    f"(?:{_ENDINGS}|建物|店|園|お?家|校)の名(?:前|称)は\\s?([一-龥ァ-ヺー]{{2,}}"
    f"|[ぁ-んー]{{2,8}}?(?=[。、\\s]|$|です|だ|と))"
)
_AROUND_WORD: Final = (_KIND_AND_QUOTE, _QUOTE_AND_DEED, _KIND_AND_BRACKET, _KIND_NAMED)
_QUOTED: Final = re.compile(
    f"[「『]([^「」『』、。]{{1,{LONGEST_NAME}}}?)(?:{_ENDINGS}|の家|ホーム|苑|の里|の郷|の森"
    f"|の丘|の杜|プラザ|ひろば|広場|サロン|クラブ)[」』]{_NOT_SAID}"
)
_FOUNDED: Final = re.compile(
    f"(?:[市区町村県都府国公私]立|法人)([ぁ-んァ-ヺー一-龥]{{2,{LONGEST_NAME}}}?)(?:{_ENDINGS})"
)
_AROUND_ENDING: Final = (_QUOTED, _FOUNDED)
_JOINING: Final = "のなでとにはがを"
"""What joins a word to the next one; a name may end so, but none begins so."""
_SAYS: Final = re.compile("[一-龥ァ-ヺ]")


def place_by_context(text: str) -> bool:
    """Whether a word stands in `text` where only the name of a place does."""
    return (
        any(pattern.search(text) for pattern in _BY_ITSELF)
        or any(
            is_no_everyday_word(before(text, found.start())[0])
            for pattern in _AFTER_NAME
            for found in pattern.finditer(text)
        )
        or any(
            is_no_everyday_word(after(text, found.end()))
            or begins_with_known_name(text, found.end())
            or _is_kana_word(text, found.end())
            for pattern in _BEFORE_NAME
            for found in pattern.finditer(text)
        )
        or any(
            any(map(is_no_everyday_word, filter(None, found.groups())))
            for pattern in _AROUND_NAME
            for found in pattern.finditer(text)
        )
        or any(
            _is_name_in_quotes(found[1])
            for pattern in _AROUND_WORD
            for found in pattern.finditer(text)
        )
        or any(
            _is_word_of_its_own(found[1])
            for pattern in _AROUND_ENDING
            for found in pattern.finditer(text)
        )
    )


def _is_kana_word(text: str, place: int) -> bool:
    """Whether a word in hiragana that says nothing else stands alone at `place`."""
    found = _ALONE_IN_KANA.match(text, place)
    return found is not None and not is_word_for_nothing(found[1])


def _is_name_in_quotes(word: str) -> bool:
    """Whether a word in quotes is none of every day."""
    if ends_in_known_name(hiragana(word)):
        return True
    if _SAYS.search(word):
        return is_no_everyday_word(word)
    return len(word) > 1 and not is_word_for_nothing(hiragana(word))


def _is_word_of_its_own(word: str) -> bool:
    """Whether what stands before an ending in quotes, or after who founded it, is a name."""
    if ends_in_known_name(hiragana(word)):
        return True
    left = without_general(word).strip(_JOINING)
    return len(left) > 1 and word[0] not in _JOINING and word not in WORDS["kana_name"]["no_name"]
