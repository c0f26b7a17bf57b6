"""Words and sentences of the corpus: a gap named after a kind takes personal data, others clean words; # is a digit."""


def _lines(text: str) -> list[str]:
    return text.strip().splitlines()


def _pool(text: str) -> list[str]:
    return " ".join(text.split()).split(" | ")


MONTHS = _pool(
    "January | February | March | April | May | June | July | August | September | October | November | December"
)
STEMS = _pool(
    "kayz | jaydz | babygirl | lilty | demzx | k1ngz | itz.shan | rez_bs | shanelle | tysonj | missy | mandem"
)
PHONES = _pool("""
    07700 900### | 07700 900### | 07700900### | 07700 900 ### | 07700-900-### | 07700.900.### | 077 0090 0### |
    0770 0900 ### | (07700) 900### | +44 7700 900 ### | +44 7700 900### | +447700900### | +44 (0)7700 900### |
    0044 7700 900### | 00447700900### | +44-7700-900-### | 0117 496 0### | (0117) 496 0### | 01174960### |
    0117-496-0### | 0117 4960### | +44 117 496 0### | 0044 117 496 0### | 0161.496.0### | 020 7946 0### |
    0207 946 0### | (020) 7946 0### | 02079460### | +44 (0)20 7946 0### | 01632 960### | 01632 960 ### | 029 2018 0###
    | 0191 498 0###
""")
DOMAINS = _pool("example.com | example.org | example.co.uk | mail.example.net | pupils.school.example | EXAMPLE.COM")
OUTWARD = _pool(
    "BA1 | BA2 | BA3 | BA11 | BS1 | BS5 | BS16 | SN15 | GL50 | TA6 | B12 | M14 | L8 | LS9 | S3 | E2 | N17 | SW9 | EC1V | W1D | CF10"
)
HANDLES = _pool("""
    @{} | @{} | snap: {} | snap {} | Snap - {} | insta {} | insta: {} | IG: {} | IG @{} | on Snapchat as {} |
    on Insta as {} | TikTok @{} | Snapchat name {} | snapchat username {} | Instagram handle {} | TikTok: {} |
    Telegram @{} | insta is {} | Snapchat ({})
""")
TITLES = _pool("""
    Mr | Mr | Mr. | Mrs | Ms | Miss | Dr | PC | PC | PC #### | PCSO | DC | DS | Sgt | Insp | Cllr | Mr and Mrs |
    Inspector | Sergeant
""")
FIRST_NAMES = _pool("""
    Chloe | Jade | Tyler | Kayleigh | Kayleigh-Ann | Mohammed | Aisha | Amina | Kieran | Reece | Ellie | Megan |
    Callum | Connor | Declan | Ryan | Joshua | Jayden | Shannon | Courtney | Demi-Leigh | Alfie | Archie | Zainab |
    Fatima | Yusuf | Ibrahim | Abdi | Hodan | Kwame | Chidi | Agnieszka | Kacper | Zuzanna | Andreea | Ionut | Priya |
    Arjun | Harpreet | Siobhan | Niamh | Ciaran | Rhys | Lexi | Libby | Daisy | Ethan | Logan | Tamika | Leanne |
    Stacey | Renée | Natalie | Craig | Darren | Tariq | Imran | Sophie | Emily | Jessica | Lauren | Bethany | Harvey
""")
SURNAMES = _pool("""
    Smith | Jones | Khan | Patel | O'Brien | O\u2019Neill | Taylor | Hughes | Begum | Hussain | Okafor | Nowak |
    Kowalski | Nguyen | Adeyemi | MacDonald | McCarthy | Davies | Evans | Ahmed | Singh | Kaur | Iqbal | Popescu |
    Osei | Mensah | Fitzgerald | Wright | Thompson | Walker | Griffiths | Baker | Hassan | Mohamud | Silva | Murphy |
    Roberts | Warsame | Choudhury
""")

CARRIERS = {
    "phone": _lines("""
{phone} is the number girls are told to ring for a lift home.
Cards left at {premises} give {phone} and nothing else.
Driver hands a mobile number ({phone}) to pupils on {street}.
Number written on the wall of the underpass: {phone}
Please ring me back on {phone}, I am on shift until {time}.
Booking at {premises} made from {phone}; paid in cash.
Mob {phone}, answers only after {time}.
Call or text {phone}.
tel: {phone} given by the older male by {premises}."""),
    "email": _lines("""
{email} was used to book two rooms at {premises}.
Worker to send the form to {email} by Friday.
Manager at {premises} can be reached at {email}.
Contact ({email}) wants to talk about {park}.
The advert says to write to {email}, no other details"""),
    "nhs_number": _lines("""
{nhs_number} on the wristband, came straight from the walk-in centre.
Seen by nurse on {date}, {nhs_number}, then walked to {park}.
Discharge letter found by {premises} shows {nhs_number}.
One of the girls ({nhs_number}) was taken to hospital.
Referral sent with {nhs_number}"""),
    "ni_number": _lines("""
{ni_number} was on a payslip dropped outside {premises}.
Worker at {premises} gave {ni_number} to the licensing officer.
Photographed payslip, {ni_number}, left on a bench in {park}.
Tenant of the flat: {ni_number}
Form half filled in ({ni_number}) in the bin at {premises}."""),
    "date_of_birth": _lines("""
Girl at {premises} gave {date_of_birth} to the doorman.
{date_of_birth}, height about five foot four, last seen on {street}.
The youngest ({date_of_birth}) was driven off towards {road}.
Checked ID at the door of {premises}: {date_of_birth}
Missing since {date}, {date_of_birth}, likely in {park}.
Female, {date_of_birth}, drinking with {count}."""),
    "postcode": _lines("""
{postcode} is where they are dropped off after {time}.
Taken by taxi from {premises} to {postcode}.
Lives at 14 {street}, {postcode}, with grandmother.
House in {postcode} with the blinds always down.
Home address {postcode}; walks to {park} alone.
Party at the flat above the shop ({postcode}) on {date}.
Sat nav showed {postcode}"""),
    "social_handle": _lines("""
{social_handle} keeps asking girls to meet at {park}.
He messages them from {social_handle} after school.
Contact was made with {social_handle} before they went to {premises}.
Older male, {social_handle}, sends taxis to {street}.
Asked for pictures by someone ({social_handle}) near {premises}.
Account to look at: {social_handle}
Party at {premises} shared by {social_handle}."""),
    "titled": _lines("""
{titled} runs {premises} and lets the upstairs room.
Spoke to {titled} about the lighting in {park}.
Report from {titled}: {count} in {street} car park.
According to {titled} the back door of {premises} is never locked.
Seen by {titled} at {time}.
Room booked by {titled}, {price} in cash.
Passed on to {titled}"""),
    "full_name": _lines("""
{full_name} was seen getting into a silver car on {street}.
Saw {full_name} with {count} in {park}.
Two girls, one of them {full_name}, were waiting at {premises}.
Child at risk: {full_name}, regular at {premises}.
Room at {premises} in the name of {full_name}.
Driver known locally as {full_name} was parked on {street}.
Last seen with {full_name}"""),
    "first_name": _lines("""
{first_name} said the men from {premises} buy them food.
A girl called {first_name} was crying by the gate of {park}.
She was with {first_name} and two others outside {premises}.
Young man named {first_name} hands out cigarettes in {park}.
Spoke to {first_name} about what happens after {time}.
{first_name} told us that {premises} is where they meet.
{first_name}'s mum rang about the car on {street}.
Saw {first_name} get into a taxi at {time}.
Her friend {first_name}, 14, was waiting in {park}.
They had come to meet {first_name}"""),
    "registration": _lines("""
White Transit, reg {registration}, outside {premises} at {time}.
{registration} parked across {street} with its lights off.
Silver Audi {registration} circled {park} twice.
VRM {registration}, two males inside, left by {road}.
Dropped off from a taxi (index {registration}).
Same car as last week: {registration}"""),
}
COUPLES = _lines("""
{full_name}, {date_of_birth}, was in {park} at {time}.
{full_name} ({phone}) asked for a lift from {premises}.
{titled} drives {registration} and waits on {street}.
{first_name} said to add {social_handle} for a lift.
{titled} of {postcode} rents out the room over {premises}.
Reached {titled} on {phone} about {park}.
Text from {phone} gave {postcode} as the place to come.
{registration} is kept at {postcode}.
{nhs_number}, {date_of_birth}, seen in A and E on {date}.
Contact details left: {email} / {phone}
""")

POOLS = {
    "park": _pool("""
    Victoria Park | Royal Victoria Park | Alexandra Park | Henrietta Park | Sydney Gardens | Hedgemead Park |
    Parade Gardens | Castle Park | St James | Brandon Hill | Alice Park | Netham Park | St George Park | Clarence Park
    | Oldfield Park | Jubilee Gardens | Rose Garden | Queen Square | Kensington Meadows | Green Park | the Linear Park
    | St James' Park | Prince's Field | Elizabeth Gardens
"""),
    "street": _pool("""
        James Street West | Charlotte Street | Albert Road | Queen Square | St James's Square | Victoria Street |
        Henry Street | John Street | George Street | Edward Street | Alfred Street | Daniel Street | Julian Road |
        Nelson Place | William Street | Great Pulteney Street | Walcot Street | Lower Bristol Road | Stokes Croft |
        Old Market | Duke Street | Thomas Street | Catharine Place | Norfolk Crescent | Prince Street |
        Gloucester Road | Church Lane | Elm Grove | St Thomas Street East | King William Avenue | London Road
    """),
    "premises": _pool("""
        Jordan's Cafe | Charlie's Chicken | Tony's Fish Bar | Sam's Kebabs | Maria's Cafe | Martin's newsagent |
        McDonald's | Domino's | Nando's | Greggs | Sainsbury's | Tesco Express | Iceland | the King's Head |
        the Prince William pub | the Lord Nelson | the Robin Hood | the Queen's Hotel | the Royal Hotel |
        the Premier Inn | the Travelodge | Elizabeth House | Albert House | Albion Taxis | Star Cars | Golden Dragon |
        Taj Mahal | Istanbul Grill | the Rose and Crown | the Hope and Anchor | Southgate car park | the bus station |
        St James's Hall | St Mary's Church | Ruby Nails | Amber Cars | the Francis Hotel | Lucky Star | Dallas Chicken
        | Victoria Sauna | Crystal Spa | the multi-storey | Charlotte Street car park
    """),
    "area": _pool(
        "BA1 | BA2 | BS5 | BS16 | Easton | Twerton | Larkhall | Weston | Knowle West | Keynsham | St Pauls | Bedminster | Radstock"
    ),
    "road": _pool(
        "M32 junction 3 | the M32 | the M4 | the A4 | the A36 | the A46 | the A4174 | the A4 London Road | the B3110 | bus lane U1"
    ),
    "agency": _pool("""
        Avon and Somerset | Barnardo's | Catch22 | St John Ambulance | British Transport Police |
        Bath and North East Somerset Council | Trading Standards | the licensing team | Neighbourhood Watch |
        the Children's Society | Sainsbury's security | First Bus | the Salvation Army
    """),
    "count": _pool("""
        3 adults, 6 youths | two girls about 14 | 4-5 lads | around 10 young people | 6 youths, 1 adult |
        half a dozen teenagers | 12 youths (8f, 4m) | one adult male | 2 x females 15-16 | groups of 3 to 5 |
        1 male, 30s, grey hoodie
    """),
    "date": _pool("""
        12/03/2026 | Friday 13 March | 1#/02/2026 | 2026-04-1# | Monday 6 April | 2# May | Sat 14th March 2026 |
        09.05.26 | 3rd May | Wednesday | 1 June 2026
    """),
    "time": _pool(
        "21:30 | 22:1# | 01:45 | 9pm | half nine | 2300 hrs | 0130 | 21.30 | 19:00-23:00 | 8.15 pm | 10pm to 2am | midnight"
    ),
    "ref": _pool("""
        CAD 44## | CAD 312 of 12/03/2026 | crime ref AV-2026-00### | log 0### of today | crime number 52260##### |
        UPRN 10012####### | USRN 4460#### | premises licence 23/0####/LAPREN | taxi plate 0### | badge 22## |
        LSOA E0101#### | incident 5226-1##-###
    """),
    "grid": _pool(
        "ST 751 647 | ST7516 6478 | 374856.123, 164921.007 | 375041 164611 | 51.3811, -2.3590 | E 37504# N 16461# | lat 51.38## lon -2.35##"
    ),
    "price": _pool("£12.50 | £1,200 | £60 | 40 quid | £7##.00"),
    "number": _pool("3 | 14 | 27 | 112 | 1,250"),
    "bus": _pool("bus 14 | bus 4A | the 38 | the U1 bus | the X39"),
    "house": _pool("No. 14 | Flat 3, number 22 | 14-16 | House number 107 | Unit 5B"),
}
CLEAN = _lines("""
{park} quiet, nobody about at {time}.
{count} near the swings in {park} on {date} at {time}.
By the bandstand in {park}: {count}, later at {premises}.
Checked {street} car park and {street}, nothing seen.
{premises} open until {time}, licence says 11:00-23:00.
Staff at {premises} said the back room is let by the hour.
Staff from {premises} told us {park} is busy on Fridays.
Car across {street} with lights off for 20 minutes, two men inside, left by {road}.
{ref} refers, taxi seen on {street} on {date}.
Mark on the wall by the bins at {premises}, looks like a tag.
Will return on {date} with the detached team.
Grace period for {premises} ends {date}.
Rose Garden gate in {park} left open again.
Hope to be back before the summer holidays.
May half-term is when {park} gets busy.
April and June sessions were quiet, August was not.
March figures: {number} visits, {number} conversations.
Grid reference {grid}, behind the pavilion.
Blue hatchback, tinted windows, first on {road} and then {street}.
Came off {road} and parked by {premises}.
Avon and Somerset aware, {ref}.
Joint visit with {agency} to {premises}.
Room paid in cash, {price} for three nights at {premises}.
Last stop of {bus} on {street}: {count}, one adult offering cigarettes.
CCTV at {premises} covers the rear door only.
Met with {agency} at {premises}, action is lighting on {street}.
Litter pick with {park} volunteers, {count}.
{premises} said the till camera was off on {date}.
Max 10 people in the hall on {street}, sign says.
A place called {premises} keeps coming up.
Spoke to {agency} about {park}.
Photos of the party went on Snapchat, nobody named.
Meet-up advertised on Instagram and TikTok, {park} @ {time}.
Girls are contacted on Snapchat as they leave school.
Told on Snapchat to wait at {premises}.
Instagram post shows the flat above {premises}.
Snap inspection of {premises}, no signing-in book.
Patrol plan: {area}, {area} and {street}.
{area} area, {number} reports since {date}.
Third car this week in {area} {time}, {count}.
In {area} {count}, all gone by {time}.
{house} on {street}, blinds always down, different cars each night.
Sunday night, {count} outside {premises}.
Drew a plan of the stairwell at {premises}.
Bill for the room was {price}, paid by an older man.
Frank discussion with the manager of {premises}.
Dawn visit to {street} car park, level 2, nothing seen.
Chase the council for the lighting on {street}, due {date}.
Faith group and youth club share the hall on {street}.
Heather and holly cut back in {park}, sight lines much better.
Amber rating kept for {premises}, review {date}.
Joy riding on {road} again, {time}.
Closure order on a house in {street} made 12/03/2024 has run out.
The youth bus was born out of the 2024 survey of {area}.
PSPO for {park} in force since 01/10/2023.
DOB checks at the door of {premises} are not done.
NI number not asked for by {premises} when taking on staff.
NHS walk-in centre on {street} sees young people until {time}.
Phone number on the shutter of {premises} is painted over.
Ring 101 and quote {ref}.
Duty sergeant to decide, PCSOs to pass {park} at {time} and {time}.
Young people say {park} feels safe by day, not after {time}.
Man in his 40s waiting by {premises}, offered a lift, declined.
Girl of about 14 with two men at {premises}.
Hotel on {road} takes walk-ins without ID, {price} a night.
Turned off {road} for {street} at {time}.
With Easter coming, {park} needs more visits.
Security at Southgate said the lifts are used after {time}.
Two taxis, plates in the vehicle column, outside {premises}.
{agency} to write to {premises} by {date}.
{ref}: {count} in {park}, {grid}.
""")
