"""The commonest passwords, in a compact form: words that people take, and what they hang on them.

Every word alone, with one of the ENDINGS behind it or in front of it, doubled, and with letters written as
look-alikes (`p4ssw0rd`) counts as common, and so do walks over the keyboard and short patterns repeated.
That stands for about a million passwords, and covers those that head every published count of leaked ones.
Passwords of fewer than 8 characters are refused by their length, so short words matter with an ending only.
"""

import unicodedata

PATTERN_CHARACTERS_MAX = 4

WORDS = frozenset(
    """
    a1b2c3 aa aaa aaron abby abc abcd abcde abcdef abcdefg abigail access account action adam admin administrator
    adrian adriana africa aini airplane ajax akatsuki alabama alaska albert alejandra alejandro alessandro alex
    alexander alexandra alexandre alexis alice alicia alison allison alpha alyssa amanda amber america american
    amigo amigos amor amorcito amore anaconda anderson andrea andreas andrei andrew andrey andy angel angela
    angelica angelina angelito angelo angels animal anita anjing anna annette annie anthony anton antonio apache
    apollo apple apples april archie argentina arizona arsenal arthur asdf asdfg asdfgh asdfghjk asdfghjkl ashleigh
    ashley assassin asshole aston athena atlanta august austin australia avalon avatar azerty azertyuiop aztecs baby
    babyboo babyboy babydoll babyface babygirl babygurl babylon babylove backspace bailey banana bananas bandit
    bangsat barbara barbie barcelona barney baseball basketball bastard batman beach beagle bear bears beatles
    beatrice beautiful beauty beaver beckham bella benfica benjamin berlin bernard besiktas bestfriend betty beyonce
    bigboss bigboy bigdaddy bigdick bigdog bigtits bill billy birdie birthday bismillah bitch bitches biteme blabla
    black blackberry blackcat blackie blackjack blahblah blaster blazer blessed blessing blink blizzard blonde
    blondie blood bloody blossom blowjob blue blueberry bluebird bluesky bobby bollocks bond bonjour bonnie booboo
    boobs booger boomer boots boss boston bowling bradley brandi brandon brandy brasil braves brazil breanna brenda
    brian bridget british britney brittany broken broncos brooke brooklyn brother brown brownie bruno brutus bubba
    bubble bubblegum bubbles buddha buddy budlight buffalo buffy bulldog bulldogs bullet bullshit bunny buster
    butter buttercup butterfly butthead button buttons cactus caesar california calvin camaro cameron camila camille
    canada cancer candy canela cannabis cantona captain caramel cardinal carlos carmen carolina caroline carolyn
    carrie carter cartman casanova casey casino casper cassandra cassie catalina catherine cecilia celtic celtics
    champion champions chance change changeit changeme chaos charles charlie charlotte charmed cheche cheerleader
    cheese chelsea cherry chester cheyenne chicago chichi chicken chiefs china chinchin chinita chivas chocolate
    chopper chouchou chris chrissy christ christian christina christine christmas christopher chronic chubby church
    ciao ciaociao cinderella cinnamon claire claudia claudio clayton clemson cleopatra clifford clover cocacola
    cocaine coco coconut codered coffee coldplay college colombia colorado columbia comanche compaq computer conejo
    connect connie connor contact contrasena contraseña control cookie cookies cool cooldude cooper copper corazon
    corinthians cornelia corvette cosmos country courtney cowboy cowboys coyote crazy cream creative cricket
    cristian cristiano cristina crystal cuddles cupcake curtis cutie cutiepie cynthia dakota dallas damian dance
    dancer dancing daniel daniela danielle danny daredevil darkangel darkness darling darwin david dawson death
    december default deftones delfin delta denise dennis denver derrick desert desire destiny detroit devil devils
    dexter diablo diamond diamonds diana dick dickhead diego diesel digger digital dilbert dima disco discovery
    disney dmitry doctor dodgers doggie dolphin dolphins dominic domino donald donkey dorothy doudou douglas dragon
    dragonball dragons dream dreamer dreams driver drowssap drummer duke dupa dustin dylan eagle eagles eclipse
    eduardo edward einstein elaine electric elephant elizabeth ellie emily eminem emmanuel enrique enter eric erica
    erick estrella estrellita eternity eugene europe evelyn everton evolution excalibur explorer extreme fabian
    facebook faith falcon falcons family fashion fatboy father february felicia felipe felix fender fenerbahce
    fernanda fernando ferrari feyenoord ficken fight finland fire fireball firebird firefly firefox fireman fish
    fisher fishing flamengo flames flamingo florida flower flowers fluffy flyers football ford forest forever
    formula fortuna france frances francesca francesco francis francisco frank frankie franklin freak fred freddie
    freddy freedom freeman freepass freeuser friday friend friends friendship frog froggy frosty fuck fucker fucking
    fuckme fuckoff fuckyou fuckyoubitch gabriel gabriela gabrielle galatasaray galaxy gambit gamecube gamer games
    gandalf ganesh gangsta gangster garcia garfield gateway geheim gemini general genesis genius george georgia
    gerald germany getmoney getout ghost giants gibson gilbert ginger giovanni girl girls gladys gloria goaway
    goblue goddess godis godisgood godzilla gold golden goldfish goldie golf golfer goober good google gordon
    gorgeous grace gracie graham grandma grandpa green greenday greg gregory griffin guest guitar gunner gunners
    gustavo gwapako hacker hahaha hailey hallo hallohallo hammer hamster hannah happiness happy hardcore hardrock
    harley harrison harry harrypotter harvey hasilein haslo hawaii hawkeye heart hearts heather heaven hector
    heineken hejsan helena hello hellokitty helloworld help hendrix henry hercules hermosa hermoso hero heslo heslo1
    heyhey hitman hockey holiday holland hollywood home honda honey hookem hooters hope horses hotdog hotmail
    hotmama hotrod hotstuff houston howard hummer hunter hunting icecream iceman iforgot ihateyou iloveboys ilovegod
    ilovehim ilovejesus iloveme ilovemom ilovemyfamily ilovemyself iloveu iloveyou iloveyouso imissyou immortal
    india indian indiana indonesia infinity inlove insane inshallah inter internet intruder ireland ironman isabel
    isabella isabelle island israel italia italy jackass jackie jackson jacob jaguar jake jamaica james jamesbond
    jamie janine january japan jasmin jasmine jason jasper javier jeanette jeffrey jellybean jelszo jenifer jennifer
    jenny jeremiah jeremy jersey jessica jessie jester jesucristo jesus jesuschrist jesusislord jethro jimmy joanna
    joejonas johan john johncena johnny johnson jojo joker jonas jonathan jordan jorge jose joselito joseph
    josephine joshua journey juan juanito juggalo julia julian juliana julie juliet julio junior jupiter justice
    justin justinbieber juventus kambing kamikaze karate karen karina karolina katarina kate katherine kathleen
    kathryn katie katrina kawasaki kayla keith kelly kelsey kennedy kenneth kermit kevin killer killers kimberly
    king kingdom kingkong kisses kissme kitkat kitten kitty knight knights koala kobe kobebryant kochanie kristen
    kristina kristine lacrosse ladies ladybug lakers lalala lancer laptop larry lasvegas laura lauren lavender
    lebron legend legolas leonard leonardo leopard leslie lestat letmein letmeinnow liberty library lifehack lights
    lilly lincoln linda lindsay lindsey linkinpark linux little littleman liverpool lizard login logitech lol lol123
    lollipop lollypop london looking lorena lorenzo losenord loser loulou love loveable lovebug lovehurts lovelife
    lovely loveme lovemom lover loverboy loverman lovers loveu loveyou lubieplacki lucas lucia lucifer lucky luis
    lunita macbook madison madonna madrid maganda maggie magic mahal mahalkita mahalko malcolm mamita manager
    manchester manchesterunited manuel marcela marcelo marco marcus margaret margarita maria mariah mariana maribel
    marie marilyn marina marine marines mario marion mariposa marisol marjorie mark marlboro marlene marley
    marseille marshall martha martin martina marvin master masters matrix matt matthew maurice maverick maxima
    maxwell mayday megan melanie melinda melissa mellon member mercedes mercury merlin metallica mexico miamor
    michael michaeljackson michel michele michelle mickey mickeymouse midnight miguel mike mikey miller million
    milton mine minhasenha misiek mistress mobile mohamed mohammed molly mommy monday money monica monika monkey
    monkeys monopoly monster montana moomoo moon moonlight morena morgan morris mortal motdepasse mother motorola
    mountain mouse mozart muffin muhammad music mustang mustangs mylove myname mypassword myself myspace mystery
    nadine nana naruto narutouzumaki nascar natalia natalie natasha nathalie nathan nathaniel nelson nemesis network
    newcastle newlife newpass newpassword newyork nicholas nichole nick nicola nicolas nicole nightmare nikita nimda
    nintendo nirvana nissan nokia nonono nopass nopassword norman nothing november number october octopus ohmygod
    oliver olivia omega onelove online open opensesame orange oranges orlando oscar outlaw pacific packers pakistan
    palmeiras paloma pamela panda pandora panther panthers papa paradise paris parker parol parola pass passion
    passport passw passwd password passwords passwort patches patito patricia patrick patriots paul pauline payton
    peace peaches peanut peanuts pearljam pebbles peewee penguin penguins penis people pepper pepsi perfect perkele
    peter phantom philip philips phillip phoenix phone piano pickle pickles picture pikachu pimp pimpin pineapple
    pink pinky piolin pirate pitbull platinum playboy player players playgirl playstation please pokemon poker
    police polska pomegranate poohbear pookie poopoo popcorn popeye porno porsche portugal postal potato power
    powers prayer precious preston pretty prettygirl prince princes princesa princess princessa private privet
    prodigy profile promise property psycho pumpkin punkrock puppies puppy purple pussy pussycat pyramid q1w2e3
    q1w2e3r4 q1w2e3r4t5 qazwsx qazwsxedc qwaszx qwe qweasd qweasdzxc qwer qwert qwerty qwerty123456 qwertyu qwertyui
    qwertyuiop qwertz rabbit rachel racing rahasia raiders rainbow raistlin rakkaus ramona random ranger rangers
    raptor rasta rastaman raymond rebecca rebel recovery red reddevil redneck redrose redskins redsox redwings
    reggae remember renegade republic requiem revenge ricardo richard richie ripper river rivera robert roberta
    roberto robin robinson rocker rocket rockets rockon rockstar rocky rodrigo roger roland rolltide romance romania
    romeo ronald ronaldinho ronaldo rooster root rosario rosebud roses rosie rosita roxanne royal ruby runescape
    runner russia rusty sabrina sailor saints sakura salamander salasana samantha samson samsung samuel sanchez
    sandra sandy santa santana santiago sarah sarita sasha saturday saturn savannah sayang sayangku scarface scarlet
    scarlett schalke schatz school scooby scoobydoo scooter scorpio scorpion scotland scott secret secrets security
    senha senhasenha september serenity sergio service setup sexy sexybitch sexygirl sexylady sexymama shadow
    shadows shakira shalom shannon shark sharon shelby sheldon shelly shirley shit shithead shopping shorty sierra
    sifre silver silvia simba simon simone simple simpson simpsons single sisters sixers skateboard skater skipper
    skittles skywalker slayer slipknot smile smiles smiley smith smokey smooth snicker snickers sniper snoopy
    snowball snowboard snowman soccer softball soldier soledad soleil someone something sometimes sommer sonic
    sophia sophie soulmate spanky spartan spartans special speedy spencer spider spiderman spirit spitfire spongebob
    sports spring sprite squirrel stacey stalker stanley star starcraft stardust starfish stargate starlight stars
    start starwars station steelers stefan stella stephanie stephen steve steven stewart sticky stone storm stranger
    strawberry string stronger student stupid sublime success sugar summer sundance sunday sunflower sunny sunrise
    sunset sunshine supergirl superman supernova supersonic superstar support supra surfer susan suzanne suzuki
    swallow sweden sweet sweetgirl sweetheart sweetie sweetiepie sweetness sweetpea sweety swimming swordfish sydney
    system tamara tattoo taurus taylor teacher teamo tecktonik teddy teddybear teiubesc telefon telefono temp tennis
    tequiero tequieromucho tequila teresa terminator terror test tester testing texas thailand thebest thegame
    thekiller theking theman theresa thirteen thomas thuglife thumper thunder thunderbird tiffany tiger tigers
    tigger timothy tinker tinkerbell titanic titans tokiohotel tomato tomcat tommy tornado toronto tottenham toyota
    transformers travel travis treasure trinity triumph trouble trucks trustme trustno trustnoone tucker tuesday
    tulips turkey turtle tweety twilight twister tyler ubuntu ultimate undertaker unicorn united universal universe
    user usuario vacation vagina valencia valentin valentina valentine valeria valerie vampire vanessa vanilla vegas
    velvet venezuela venus veronica vfvfvf victor victoria victory vietnam viking vikings vincent vincenzo violet
    viper virgin virginia virtual vision vladimir volcano volkswagen volleyball volvo voyager wachtwoord wallace
    walmart walter warcraft warhammer warlock warren warrior warriors water watermelon webmaster welcome welkom
    werder wesley western westham westside whatever whatsup white whiteboy wicked wildcat wildcats wildfire william
    williams willie willow wilson windows winner winnie winston winter wisdom wizard woaini woaiwojia wodemima wolf
    wolfgang wolfpack wolverine wolves woman wonder wonderful woodland work world worldcup wrestling xavier xbox
    xxxxxx yahoo yamaha yankee yankees yasmin yellow yolanda young yourmom yvonne zachary zaq zaq1xsw zaq1zaq zaqxsw
    zeppelin zidane zombie zxc zxcv zxcvb zxcvbn zxcvbnm
    """.split()  # noqa: SIM905 - a list literal would be ten pages
)

ENDINGS = frozenset(
    """
    0 1 2 3 4 5 6 7 8 9 00 01 02 03 04 05 06 07 08 09 007 000 0000 00000 000000 11 12 13 14 15 16 17 18 19 20 21 22
    23 24 25 26 27 28 29 30 31 33 42 44 45 55 66 67 69 77 78 87 88 89 90 91 92 93 94 95 96 97 98 99 100 101 111 112
    121 122 123 124 131 143 147 159 187 200 212 222 231 234 247 258 303 310 313 316 321 333 404 420 444 456 500 555
    567 619 654 666 678 707 711 718 747 753 777 786 789 808 818 852 888 890 900 909 911 963 987 999 1000 1010 1111
    1122 1123 1212 1213 1221 1223 1231 1234 1235 1236 1245 1313 1357 1414 1478 1515 1616 1717 1818 2000 2121 2222
    2323 2345 2468 2580 3333 3456 4321 4444 4567 5555 5678 6666 6789 6969 7777 7890 8888 9876 9999 12121 12123 12312
    12321 12345 11111 54321 56789 77777 99999 111111 112233 121212 123123 123321 123456 123654 147258 159357 159753
    654321 666666 696969 777777 789456 987654 1234567 7654321 12345678 87654321 123456789 987654321 1234567890
    0123456789 ! !! !!! ? . .. * # @ $ - _ !1 1! 12! 123! 1234! 12345! 123456! !123 @1 @12 @123 @1234 @12345 #1 #123
    $1 01! 1@ 1@3 !@# !@#$ !@#$% 123@ 123# 1. 123. 1* 123* _1 _123 -1 -123 a b c d e m s x z aa abc xx xxx xyz q qwe
    qwerty 1a 1q 1qaz 123a 123abc abc123 a1 a123 123qwe qwe123 u me you
    """.split()  # noqa: SIM905 - a list literal would be ten pages
) | frozenset(f"{year}{end}" for year in range(1940, 2040) for end in ("", "!", "@", "#"))

KEYBOARD_WALKS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop[]asdfghjkl;'zxcvbnm,./",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "asdfghjkl;asdfghjkl;",
    "zxcvbnm,./zxcvbnm,./",
    "qwertyuiop1234567890",
    "!@#$%^&*()_+",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1qaz!qaz2wsx@wsx3edc#edc",
    "1qazxsw23edcvfr45tgbnhy67ujmki890plo",
    "zaq12wsxcde34rfvbgt56yhnmju78iklo90p",
    "zaq1xsw2cde3vfr4bgt5nhy6mju7",
    "qazwsxedcrfvtgbyhnujmikolp",
    "qweasdzxcrtyfghvbnuiojklm",
    "qweasdzxc123qweasdzxc123456",
    "123qweasdzxc123qwe123qwe",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1a2s3d4f5g6h7j8k9l0",
    "a1s2d3f4g5h6j7k8l9",
    "a1b2c3d4e5f6g7h8i9j0",
    "1a2b3c4d5e6f7g8h9i0j",
    "aabbccddeeffgghhiijjkkllmm",
    "11223344556677889900112233",
    "qqwweerrttyyuuiioopp",
    "aassddffgghhjjkkll",
    "147258369147258369",
    "741852963741852963",
    "789456123789456123",
    "159753456852159753",
    "159357258456159357",
    "13579246801357924680",
    "24681357902468013579",
    "31415926535897932384",
    "27182818284590452353",
    "012345678987654321012345678987654321",
    "12345654321234565432123456",
    "1234554321123455432112345543211",
    "123321123321456654789987123456654321",
    "qwerty1234567890qwerty",
    "1234567890qwertyuiop",
    "1234qwerasdfzxcv1234qwer",
    "qwer1234asdf5678zxcv",
    "asdf1234asdf1234zxcv1234",
)

# 1 stands for i, l or itself; the rest is read one way.
LOOK_ALIKES = (
    str.maketrans("@48301!5$7", "aabeoiisst"),
    str.maketrans("@48301!5$7", "aabeollsst"),
    str.maketrans("@0$", "aos"),
)


def is_common(password: str) -> bool:
    """Whether the password is among the commonest, whatever its case and look-alike letters."""
    text = unicodedata.normalize("NFKC", password).lower().strip()
    bare = text.replace(" ", "")
    return any(_is_pattern(form) or _is_decorated_word(form) for form in {text, bare})


def _is_pattern(text: str) -> bool:
    """`abababab`, `11111111`, `qwertyuiop` and `poiuytrewq`."""
    for size in range(1, PATTERN_CHARACTERS_MAX + 1):
        if text == (text[:size] * (len(text) // size + 1))[: len(text)]:
            return True
    return any(text in walk or text[::-1] in walk for walk in KEYBOARD_WALKS)


def _is_decorated_word(text: str) -> bool:
    if _is_word(text):
        return True
    for size in range(1, len(text)):
        if text[-size:] in ENDINGS and _is_word(text[:-size]):
            return True
        if text[:size] in ENDINGS and _is_word(text[size:]):
            return True
    return False


def _is_word(text: str) -> bool:
    half = text[: len(text) // 2]
    stem = half if half + half == text else text
    return stem in WORDS or any(stem.translate(table) in WORDS for table in LOOK_ALIKES)
